//! The methods of the builder that set the options of a game's matches.

use std::{ops::RangeInclusive, time::Duration};

use super::{Game, MatchBuilder};
use crate::sim::Clock;

impl<G: Game> MatchBuilder<G> {
    /// Sets the tick rate in ticks per second, 1 to 128. Default 30.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.tick_rate(20); // a tick lasts 50 ms
    /// # }
    /// ```
    pub fn tick_rate(&mut self, hz: u16) -> &mut Self {
        self.once(".tick_rate(..)");
        self.options.hz = hz;
        self.parts.world.insert_resource(Clock::new(hz));
        self
    }

    /// Lets the match rest while nothing happens, as suits games of turns. Default: it steps in every tick.
    ///
    /// Ticks stay a measure of time, and [`Clock`] goes on. But the match is stepped only in ticks in which something can happen: an
    /// input acts, a seat comes or goes, a [`Deadline`](crate::sim::Deadline) that the rules set is due, or the step before has changed
    /// something that clients see. While a match rests it needs no CPU, and its clients get no frames.
    ///
    /// Rules must not count their own steps to measure time. Such a game cannot have [`predicted`](Self::predicted) systems,
    /// [`rewind`](Self::rewind), a grid of [`interest`](Self::interest), or components that are compared seldom (`every`).
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(Component, Replicate)]
    /// #[replicate(id = 1)]
    /// struct Turn {
    ///     of: u8,
    ///     ends: u32,
    /// }
    ///
    /// fn pass_on(clock: Res<Clock>, mut deadline: ResMut<Deadline>, mut turns: Query<&mut Turn>) {
    ///     for mut turn in &mut turns {
    ///         if clock.tick >= turn.ends {
    ///             *turn = Turn { of: 3 - turn.of, ends: clock.tick + clock.ticks(30.0) };
    ///         }
    ///         deadline.by(turn.ends);
    ///     }
    /// }
    ///
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.steps_on_input().replicate::<Turn>().systems(pass_on);
    /// # }
    /// ```
    pub fn steps_on_input(&mut self) -> &mut Self {
        self.once(".steps_on_input()");
        self.options.on_input = true;
        self
    }

    /// Sets how many players a match takes. Default `1..=16`.
    ///
    /// The matchmaker starts a match with at least the lower bound. A room has as many seats as the upper bound.
    pub fn seats(&mut self, seats: RangeInclusive<u8>) -> &mut Self {
        self.once(".seats(..)");
        self.options.seats = seats;
        self
    }

    /// Sets how long a player's seat is kept after the connection drops, so that the player can return. Default 20 seconds.
    ///
    /// Excludes [`leave_at_once`](Self::leave_at_once).
    pub fn reconnect_grace(&mut self, grace: Duration) -> &mut Self {
        self.once(".reconnect_grace(..) or .leave_at_once()");
        self.options.reconnect_grace = grace;
        self
    }

    /// Frees a player's seat as soon as the connection drops. Same as a [`reconnect_grace`](Self::reconnect_grace) of zero.
    pub fn leave_at_once(&mut self) -> &mut Self {
        self.reconnect_grace(Duration::ZERO)
    }

    /// Sets how long a connected player may send no input before losing the seat. Default: no limit.
    pub fn idle_after(&mut self, time: Duration) -> &mut Self {
        self.once(".idle_after(..)");
        self.options.idle_after = Some(time);
        self
    }

    /// Sets the delay at which spectators see the match, so that they cannot scout for a player. Default: no delay.
    pub fn spectator_delay(&mut self, time: Duration) -> &mut Self {
        self.once(".spectator_delay(..)");
        self.options.spectator_delay = time;
        self
    }

    /// Lets the game's bot play for a player whose connection dropped, until the player returns or the grace time is over.
    ///
    /// Requires [`bot`](Self::bot). Default: off.
    pub fn bots_hold_seats(&mut self) -> &mut Self {
        self.once(".bots_hold_seats()");
        self.options.bots_hold_seats = true;
        self
    }

    /// Sets the number of seats that bots fill until people take them. Requires [`bot`](Self::bot). Default 0.
    pub fn fill(&mut self, seats: u8) -> &mut Self {
        self.once(".fill(..)");
        self.options.fill = seats;
        self
    }

    /// Packs changes into bits instead of bytes. Default: off.
    ///
    /// Packing saves about half of the bytes if many entities change in every tick. It costs more work on both sides, and clients
    /// must be able to decode it.
    pub fn packed(&mut self) -> &mut Self {
        self.once(".packed()");
        self.options.packed = true;
        self
    }

    /// Limits the bytes of state that a seat gets per tick, approximately. Default: no limit.
    ///
    /// The most important changes are sent first, and the others in later ticks. Despawns, the seat's own entities, components
    /// for teams and owners, and snapshots are always sent.
    pub fn budget(&mut self, bytes_a_tick: usize) -> &mut Self {
        self.once(".budget(..)");
        self.options.budget = Some(bytes_a_tick);
        self
    }
}
