//! A predictor as a module that clients load: functions of numbers, and one buffer of doubles between both sides.
//!
//! [`predictor!`](crate::predictor) exports them under the names in this table. A module is one predictor for one seat. It imports
//! nothing, so a panic in the rules is a trap, after which the module is of no use.
//!
//! | export | what it does | the buffer |
//! | --- | --- | --- |
//! | `tc_abi()` | returns the version of this table, 1 | |
//! | `tc_buffer(doubles)` | returns the address of the buffer, with room for so many doubles at least | |
//! | `tc_open(seat, teams, bytes)` | starts for a seat; returns 1, or 0 if the configuration is none of this game | in: the JSON of `config`, in UTF-8, `bytes` long |
//! | `tc_describe()` | returns the number of components that the rules name | out: `[ticks a second, columns of the input, sees others]`, then `[id, columns, is written]` for each |
//! | `tc_reset()` | forgets the state and the inputs | |
//! | `tc_input(seq, tick, columns)` | notes an input | in: its columns |
//! | `tc_load(tick, ack, avatar, doubles)` | takes the state of a frame; returns the ticks predicted anew, plus 2^16 if it differed, plus 2^17 if the difference must be drawn at once | in: `doubles` of rows |
//! | `tc_advance(tick)` | predicts up to a tick; returns the newest tick predicted | |
//! | `tc_read(tick)` | returns the doubles of the rows of a tick | out: rows of values |
//! | `tc_peek(columns)` | returns the doubles of the rows that the next tick would have with an input; the prediction stays as it is | in: the columns of the input; out: rows of values |
//! | `tc_errors()` | returns the doubles of the rows of errors since the last load | out: rows of values |
//!
//! A row is an entity's id, a component's wire id, and a number for each of its columns: integers as in frames for `tc_load`, values in
//! the unit of the game for `tc_read`, `tc_peek` and `tc_errors`. [`Predictor`] says what each means. `avatar` is 2^32 − 1 for none. The address is
//! valid until the next call of `tc_buffer` or of a function that writes; the memory may grow in any call.

use super::{Loaded, Predictor, Told};
use crate::{
    game::Game,
    protocol::{Columns, Id, Seat, Tick},
};

/// The version of the table above.
pub const ABI: u32 = 1;

/// No avatar.
const NONE: u32 = u32::MAX;

const CORRECTED: u32 = 1 << 16;
const SNAPPED: u32 = 1 << 17;

/// One predictor and its buffer. All methods are those of the table above.
pub struct Module<G: Game> {
    predictor: Option<Predictor<G>>,
    buffer: Vec<f64>,
    integers: Vec<i64>,
}

impl<G: Game> Default for Module<G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<G: Game> Module<G> {
    /// Makes a module that is not open.
    pub const fn new() -> Self {
        Self { predictor: None, buffer: Vec::new(), integers: Vec::new() }
    }

    /// Returns the buffer, with room for `doubles` at least.
    pub fn buffer(&mut self, doubles: u32) -> &mut [f64] {
        let length = self.buffer.len().max(doubles as usize);
        self.buffer.resize(length, 0.0);
        &mut self.buffer
    }

    /// Starts for a seat. Returns 0 if `bytes` of the buffer are no configuration of the game.
    pub fn open(&mut self, seat: u32, teams: u32, bytes: u32) -> u32 {
        let Some(config) = self.config(bytes as usize) else { return 0 };
        self.predictor = Some(Predictor::new(Seat(seat as u8), teams as u8, config));
        1
    }

    fn config(&self, bytes: usize) -> Option<G::Config> {
        // A configuration without fields needs no JSON, which is a tenth of a small module.
        if size_of::<G::Config>() == 0 || bytes == 0 {
            return Some(G::Config::default());
        }
        let text: Vec<u8> = self.buffer.iter().flat_map(|double| double.to_le_bytes()).take(bytes).collect();
        serde_json::from_slice(&text).ok()
    }

    /// Describes what the module wants. Returns the number of components.
    pub fn describe(&mut self) -> u32 {
        let Some(predictor) = &self.predictor else { return 0 };
        self.buffer.clear();
        let flag = |flag| f64::from(u8::from(flag));
        self.buffer.extend([f64::from(predictor.hz()), G::Input::WIDTH as f64, flag(predictor.sees_others())]);
        for component in predictor.components() {
            self.buffer.extend([f64::from(component.id), component.columns as f64, flag(component.is_written)]);
        }
        predictor.components().count() as u32
    }

    /// Forgets the state and the inputs.
    pub fn reset(&mut self) {
        self.predictor.iter_mut().for_each(Predictor::reset);
    }

    /// Notes an input whose columns are in the buffer.
    pub fn input(&mut self, seq: u32, tick: u32, columns: u32) {
        self.take_integers(columns);
        if let Some(predictor) = &mut self.predictor {
            predictor.input(seq, Tick(tick), &self.integers);
        }
    }

    /// Loads a state whose rows are in the buffer.
    pub fn load(&mut self, tick: u32, ack: u32, avatar: u32, doubles: u32) -> u32 {
        self.take_integers(doubles);
        let Some(predictor) = &mut self.predictor else { return 0 };
        let avatar = (avatar != NONE).then_some(Id(avatar));
        let told = Told { tick: Tick(tick), ack: ack as u16, avatar };
        let Loaded { is_corrected, is_snapped, replayed } = predictor.load(told, &self.integers);
        replayed.min(CORRECTED - 1) | if is_corrected { CORRECTED } else { 0 } | if is_snapped { SNAPPED } else { 0 }
    }

    /// Predicts up to a tick. Returns the newest tick predicted.
    pub fn advance(&mut self, tick: u32) -> u32 {
        let Some(predictor) = &mut self.predictor else { return 0 };
        predictor.advance(Tick(tick));
        predictor.now().0
    }

    /// Writes the rows of a tick into the buffer. Returns their length.
    pub fn read(&mut self, tick: u32) -> u32 {
        self.buffer.clear();
        self.predictor.iter().for_each(|predictor| predictor.read(Tick(tick), &mut self.buffer));
        self.buffer.len() as u32
    }

    /// Writes the rows that the next tick would have with an input, whose columns are in the buffer. Returns their length.
    pub fn peek(&mut self, columns: u32) -> u32 {
        self.take_integers(columns);
        self.buffer.clear();
        if let Some(predictor) = &mut self.predictor {
            predictor.peek(&self.integers, &mut self.buffer);
        }
        self.buffer.len() as u32
    }

    /// Writes the errors of the last load into the buffer. Returns their length.
    pub fn errors(&mut self) -> u32 {
        self.buffer.clear();
        self.predictor.iter().for_each(|predictor| self.buffer.extend_from_slice(predictor.errors()));
        self.buffer.len() as u32
    }

    fn take_integers(&mut self, doubles: u32) {
        self.integers.clear();
        self.integers.extend(self.buffer.iter().take(doubles as usize).map(|double| *double as i64));
    }
}

/// Exports the predictor of a game for clients, in a crate that is built as a `cdylib` for `wasm32-unknown-unknown`. On other targets it
/// expands to nothing. [`predict::module`](crate::predict::module) describes the exports.
///
/// The crate needs the feature `client` of `tickcast`, so that nothing of a server is linked:
///
/// ```toml
/// [lib]
/// crate-type = ["cdylib"]
///
/// [dependencies]
/// my-game = { path = "../my-game" }
/// tickcast = { version = "0.1", default-features = false, features = ["client"] }
/// ```
///
/// # Examples
///
/// ```
/// # use tickcast::prelude::*;
/// # #[derive(GameInput, Clone, Default)] struct Pad {}
/// # struct Race;
/// # impl Game for Race {
/// #     const NAME: &'static str = "race"; type Input = Pad; type Config = NoConfig;
/// #     fn build(m: &mut MatchBuilder<Self>) {}
/// # }
/// tickcast::predictor!(Race);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! predictor {
    ($game:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use ::std::cell::RefCell;
            use $crate::predict::module::{ABI, Module};

            ::std::thread_local!(static MODULE: RefCell<Module<$game>> = const { RefCell::new(Module::new()) });

            fn with<R>(call: impl FnOnce(&mut Module<$game>) -> R) -> R {
                MODULE.with_borrow_mut(call)
            }

            $crate::predictor! { @exports
                fn tc_abi() -> u32 { ABI }
                fn tc_buffer(doubles: u32) -> *mut f64 { with(|module| module.buffer(doubles).as_mut_ptr()) }
                fn tc_open(seat: u32, teams: u32, bytes: u32) -> u32 { with(|module| module.open(seat, teams, bytes)) }
                fn tc_describe() -> u32 { with(|module| module.describe()) }
                fn tc_reset() -> () { with(|module| module.reset()) }
                fn tc_input(seq: u32, tick: u32, columns: u32) -> () { with(|module| module.input(seq, tick, columns)) }
                fn tc_load(tick: u32, ack: u32, avatar: u32, doubles: u32) -> u32 {
                    with(|module| module.load(tick, ack, avatar, doubles))
                }
                fn tc_advance(tick: u32) -> u32 { with(|module| module.advance(tick)) }
                fn tc_read(tick: u32) -> u32 { with(|module| module.read(tick)) }
                fn tc_peek(columns: u32) -> u32 { with(|module| module.peek(columns)) }
                fn tc_errors() -> u32 { with(|module| module.errors()) }
            }
        };
    };
    (@exports $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block)*) => { $(
        #[allow(unsafe_code, reason = "an export has a name of its own")]
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $type),*) -> $result $body
    )* };
}
