//! Writes a schema as TypeScript types, so that a compiler can check clients.

use std::fmt::Write;

use super::schema::{FieldKind, Schema, Shape, TypeSpec};

impl Schema {
    /// Returns the schema as a TypeScript declaration file, as `/schema/<game>.d.ts` serves it.
    pub fn to_d_ts(&self) -> String {
        let mut text = format!("// The types of the game {}, made by its server from the rules.\n\n", self.game);
        if self.uses(|kind| matches!(kind, FieldKind::Vec2 { .. })) {
            text.push_str("export interface Vec2 { x: number; y: number }\n");
        }
        if self.uses(|kind| matches!(kind, FieldKind::Vec3 { .. })) {
            text.push_str("export interface Vec3 { x: number; y: number; z: number }\n");
        }
        let _ = writeln!(text, "export interface {} {{", interface_name(&self.game));
        for (group, specs) in [("components", &self.components), ("events", &self.events)] {
            let _ = writeln!(text, "  {group}: {{");
            for spec in specs {
                let _ = writeln!(text, "    {}: {};", spec.name, type_text(spec));
            }
            text.push_str("  };\n");
        }
        if !self.commands.is_empty() {
            text.push_str("  commands: {\n");
            for spec in &self.commands {
                let _ = writeln!(text, "    {}: {};", spec.name, type_text(spec));
            }
            text.push_str("  };\n");
        }
        let _ = writeln!(text, "  input: {};", type_text(&self.input));
        text.push_str("}\n");
        text
    }

    fn uses(&self, is: impl Fn(&FieldKind) -> bool) -> bool {
        let specs = self.components.iter().chain(&self.events).chain(&self.commands).chain([&self.input]);
        specs.flat_map(|spec| &spec.fields).flat_map(|field| field.kind.elements()).any(is)
    }
}

fn type_text(spec: &TypeSpec) -> String {
    match spec.shape {
        Shape::Unit => "true".into(),
        Shape::Value => spec.fields.first().map_or_else(|| "true".into(), |field| kind_text(&field.kind)),
        Shape::Struct => {
            let fields: Vec<String> = spec.fields.iter().map(|f| format!("{}: {}", f.name, kind_text(&f.kind))).collect();
            format!("{{ {} }}", fields.join("; "))
        }
    }
}

fn kind_text(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Bool => "boolean".into(),
        FieldKind::Int { .. } | FieldKind::Float { .. } | FieldKind::Angle { .. } => "number".into(),
        FieldKind::Text { .. } => "string".into(),
        FieldKind::Bytes { .. } => "Uint8Array".into(),
        FieldKind::Vec2 { .. } => "Vec2".into(),
        FieldKind::Vec3 { .. } => "Vec3".into(),
        FieldKind::List { of, .. } => match of.as_ref() {
            FieldKind::Choice { .. } => format!("({})[]", kind_text(of)),
            _ => format!("{}[]", kind_text(of)),
        },
        FieldKind::Choice { values } => values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(" | "),
    }
}

/// Makes a type's name of a game's name: `arena` becomes `Arena`, `two-towers` becomes `TwoTowers`.
fn interface_name(game: &str) -> String {
    let words = game.split(|c: char| !c.is_ascii_alphanumeric());
    words.flat_map(|word| word.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c })).collect()
}
