//! Tests of the derives: their error messages, and how they read each attribute.

use syn::{DeriveInput, parse_str};

use super::{choice, expand_component, expand_event, expand_input, forward, options::ReplicateOptions, record::Record};

type Derive = fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>;

fn parse(input: &str) -> DeriveInput {
    parse_str(input).expect("the type is Rust")
}

/// Returns the sentence that a derive refuses a type with.
fn refusal(derive: Derive, input: &str) -> String {
    derive(&parse(input)).map(|_| ()).expect_err(input).to_string()
}

fn quantisers(input: &str) -> String {
    Record::parse(&parse(input)).map(|record| record.quantisers()).expect("the struct is right").join(" ")
}

#[test]
fn a_component_has_the_audience_and_the_rate_that_it_asks_for() {
    let options = |input| {
        let ReplicateOptions { id, to, every } = ReplicateOptions::parse(&parse(input)).expect("the attribute is right");
        (id, to.to_string(), every)
    };
    assert_eq!(options("#[replicate(id = 52)] struct A;"), (52, "Everyone".into(), 1));
    assert_eq!(options("#[replicate(id = 1, to = everyone)] struct A;"), (1, "Everyone".into(), 1));
    assert_eq!(options("#[replicate(id = 1, to = team, every = 5)] struct A;"), (1, "Team".into(), 5));
    assert_eq!(options("#[replicate(to = owner)] #[replicate(id = 3)] struct A;"), (3, "Owner".into(), 1));
}

#[test]
fn a_component_without_a_wire_id_from_1_to_52_is_refused() {
    let expected = "a replicated component needs a wire id from 1 to 52: #[replicate(id = 1)]";
    let wrong = [
        "struct A;",
        "#[replicate(to = owner)] struct A;",
        "#[replicate(id = 53)] struct A;",
        "#[replicate(id = 300)] struct A;",
        "#[replicate(id = -1)] struct A;",
        "#[replicate(id = '1')] struct A;",
    ];
    for input in wrong {
        assert_eq!(refusal(expand_component, input), expected);
    }
}

#[test]
fn an_event_without_a_wire_id_from_1_to_127_is_refused() {
    let expected = "a game event needs a wire id from 1 to 127: #[event(id = 1)]";
    let wrong = ["struct A;", "#[event(id = 0)] struct A;", "#[event(id = 128)] struct A;", "#[event(id = 256)] struct A;"];
    for input in wrong {
        assert_eq!(refusal(expand_event, input), expected);
    }
    assert!(expand_event(&parse("#[event(id = 127)] struct A;")).is_ok());
}

#[test]
fn an_option_that_an_attribute_does_not_have_is_refused() {
    let said = refusal(expand_component, "#[replicate(id = 1, rate = 5)] struct A;");
    assert_eq!(said, "`replicate` accepts only `id = 1`, `to = everyone | owner | team` and `every = 5`");
    let said = refusal(expand_component, "#[replicate(id = 1, to = friends)] struct A;");
    assert_eq!(said, "`to` must be `everyone`, `owner` or `team`");
    for input in ["#[replicate(id = 1, every = 0)] struct A;", "#[replicate(id = 1, every = -1)] struct A;"] {
        assert_eq!(refusal(expand_component, input), "`every` must be 1 tick or more");
    }
    assert_eq!(refusal(expand_event, "#[event(id = 1, to = owner)] struct A;"), "`event` accepts only `id = 1`");
    let said = refusal(expand_component, "#[replicate(id = 1)] struct A(#[q(steps = 0.5)] f32);");
    assert_eq!(said, "`q` accepts only `step = 0.03125`, `range = a..=b`, `angle` and `angle = 256`");
    for input in ["struct A { #[one_shot(true)] a: bool }", "struct A { #[one_shot = true] a: bool }"] {
        assert_eq!(refusal(expand_input, input), "`one_shot` takes no options: #[one_shot]");
    }
}

#[test]
fn an_option_that_is_given_twice_is_refused() {
    let twice: [(Derive, &str, &str); 7] = [
        (expand_component, "id", "#[replicate(id = 1, id = 2)] struct A;"),
        (expand_component, "id", "#[replicate(id = 1)] #[replicate(id = 2)] struct A;"),
        (expand_component, "to", "#[replicate(id = 1, to = team, to = owner)] struct A;"),
        (expand_component, "every", "#[replicate(id = 1, every = 2, every = 3)] struct A;"),
        (expand_event, "id", "#[event(id = 1)] #[event(id = 1)] struct A;"),
        (expand_input, "step", "struct A { #[q(step = 0.5, step = 0.25)] a: f32 }"),
        (expand_input, "angle", "struct A { #[q(angle, angle = 8)] a: f32 }"),
    ];
    for (derive, option, input) in twice {
        assert_eq!(refusal(derive, input), format!("`{option}` is given twice"));
    }
    let twice =
        ["struct A { #[q(step = 0.5)] #[q(range = 0.0..=1.0)] a: f32 }", "struct A { #[q(step = 0.5)] #[q(angle)] a: f32 }"];
    for input in twice {
        assert_eq!(refusal(expand_input, input), "a field has one quantisation: put all options into one `q`");
    }
}

#[test]
fn a_field_is_quantised_as_its_attribute_says() {
    assert_eq!(quantisers("struct A { a: u8, b: Kind }"), "Plain Plain");
    assert_eq!(quantisers("struct A(#[q(step = 0.5)] f32);"), "Step::new(0.5)");
    let ranges = [
        "struct A { #[q(step = STEP, range = -1.0..=SIZE)] a: Vec2 }",
        "struct A { #[q(range = -1.0..SIZE, step = STEP)] a: Vec2 }",
    ];
    for input in ranges {
        assert_eq!(quantisers(input), "Step::within(STEP,-1.0,SIZE)");
    }
    assert_eq!(quantisers("struct A { #[q(angle)] a: f32, #[q(angle = 1024)] b: f32 }"), "Angle::new(256) Angle::new(1024)");
}

#[test]
fn a_quantisation_that_is_incomplete_or_mixed_is_refused() {
    let expected = "`q` needs a `step`, with or without a `range`, or an `angle`";
    let wrong = [
        "struct A(#[q()] f32);",
        "struct A(#[q(range = 0.0..=1.0)] f32);",
        "struct A(#[q(step = 0.5, angle)] f32);",
        "struct A(#[q(angle = 8, range = 0.0..=1.0)] f32);",
    ];
    for input in wrong {
        assert_eq!(refusal(expand_input, input), expected);
    }
    for input in ["struct A(#[q(step = 0.5, range = ..=1.0)] f32);", "struct A(#[q(step = 0.5, range = 0.0..)] f32);"] {
        assert_eq!(refusal(expand_input, input), "a range needs both ends, as in -64.0..=64.0");
    }
    // Without options, the message is that of `syn`.
    assert!(refusal(expand_input, "struct A(#[q] f32);").contains("q(...)"));
}

#[test]
fn a_type_of_the_wrong_form_is_refused() {
    for derive in [expand_component as Derive, expand_event, expand_input] {
        assert_eq!(refusal(derive, "enum A { B }"), "this derive supports only structs");
        let said = refusal(derive, "struct A<T>(T);");
        assert_eq!(said, "this derive does not support generics: a type that is sent has one fixed schema");
        assert_eq!(refusal(derive, "struct A(u8, u8);"), "name the fields, because clients see them by name");
    }
    for (expected, input) in [
        ("`Choice` can be derived only for enums", "struct A;"),
        ("a variant of a `Choice` cannot have fields", "enum A { B, C(u8) }"),
        ("a `Choice` needs at least one variant", "enum A {}"),
    ] {
        assert_eq!(refusal(choice::expand, input), expected);
    }
    for derive in [forward::serialize as Derive, forward::deserialize] {
        let said = refusal(derive, "struct A<T>(T);");
        assert!(said.starts_with("this derive does not support generics: depend on serde"), "{said}");
        assert_eq!(refusal(derive, "union A { a: u8 }"), "this derive supports only structs and enums");
    }
}
