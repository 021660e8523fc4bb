//! A client that is some ticks away from its room, in virtual time: what it sends and gets takes ticks, and it predicts its own seat.

use std::collections::{BTreeMap, VecDeque};

use tickcast::{
    predict::{Loaded, Predictor},
    prelude::*,
    protocol::{Columns, InputHead, encode_ack, encode_input},
    replication::Mirror,
};

/// The room, and its first player as a client far away.
pub struct Remote<G: Game> {
    pub table: TestRoom<G>,
    pub mirror: Mirror,
    pub predictor: Predictor<G>,
    /// The ticks that something takes to the server, and back.
    pub there: u32,
    pub back: u32,
    /// The ticks by which the client's own time is ahead of the server's.
    pub lead: u32,
    /// The frames that are not sent from now on.
    pub lose: u32,
    /// The inputs that the client sent, by number: the tick for which it was meant, and the input.
    pub sent: Vec<(u32, Tick, G::Input)>,
    /// The results of the last loads.
    pub loads: Vec<(Tick, Loaded)>,
    /// The number of the newest input that the server has been seen to take.
    pub acked: u32,
    held: Vec<i64>,
    up: VecDeque<(u32, Vec<u8>)>,
    down: VecDeque<(u32, Vec<u8>)>,
}

impl<G: Game> Remote<G> {
    /// Needs a room of at least one player, which has not been stepped.
    pub fn new(mut table: TestRoom<G>, config: G::Config) -> Self {
        let (seat, teams) = (table.seat(0), table.room().teams());
        let mirror = Mirror::new(table.room().schema().clone());
        let mut held = vec![0; G::Input::WIDTH];
        G::Input::default().quantise(&mut held);
        Self {
            table,
            mirror,
            predictor: Predictor::new(seat, teams, config),
            there: 3,
            back: 3,
            lead: 5,
            lose: 0,
            sent: Vec::new(),
            loads: Vec::new(),
            acked: 0,
            held,
            up: VecDeque::new(),
            down: VecDeque::new(),
        }
    }

    /// One tick on both sides, with what the player presses. Returns the tick that the server stepped.
    pub fn tick(&mut self, input: G::Input) -> Tick {
        let seat = self.table.seat(0);
        let time = self.table.room().current_tick().0 + 1;
        while self.up.front().is_some_and(|(due, _)| *due < time) {
            let (_, bytes) = self.up.pop_front().unwrap();
            self.table.room().handle(seat, &bytes).unwrap();
        }
        let out = self.table.room().tick();
        if let Some(frame) = out.frames.of(seat) {
            if self.lose > 0 {
                self.lose -= 1;
                self.table.room().missed(seat);
            } else {
                self.down.push_back((time + self.back, frame.to_bytes().to_vec()));
            }
        }
        self.receive(time);
        self.send(time, input);
        self.predictor.advance(Tick(time + self.lead));
        Tick(time)
    }

    fn receive(&mut self, time: u32) {
        while self.down.front().is_some_and(|(due, _)| *due <= time) {
            let (_, bytes) = self.down.pop_front().unwrap();
            let applied = self.mirror.apply(&bytes).unwrap();
            assert_eq!(applied.desync, None);
            // No test sends as many inputs as wrap.
            self.acked = applied.ack.into();
            self.loads.push((applied.tick, self.predictor.load_mirror(&self.mirror, &applied)));
            let mut ack = Vec::new();
            encode_ack(&mut ack, self.mirror.tick().0 as u16);
            self.up.push_back((time + self.there, ack));
        }
    }

    /// Sends an input if it changed, for the tick that the client is about to predict.
    fn send(&mut self, time: u32, mut input: G::Input) {
        let mut columns = vec![0; G::Input::WIDTH];
        input.quantise(&mut columns);
        if columns == self.held || self.mirror.tick() == Tick(0) {
            return;
        }
        let (seq, tick) = (self.sent.len() as u32 + 1, Tick(time + self.lead));
        let mut bytes = Vec::new();
        let head = InputHead { ack: self.mirror.tick().0 as u16, seq, tick, behind: None };
        encode_input(&mut bytes, head, &columns);
        self.up.push_back((time + self.there, bytes));
        self.predictor.input(seq, tick, &columns);
        self.sent.push((seq, tick, input.clone()));
        tickcast::game::GameInput::clear_shots(&mut input);
        input.quantise(&mut self.held);
    }

    /// The ticks whose state was not what had been predicted, after the first state.
    pub fn corrections(&self) -> Vec<u32> {
        self.loads.iter().filter(|(_, loaded)| loaded.is_corrected).map(|(tick, _)| tick.0).collect()
    }

    /// The predicted columns of the newest tick, by component.
    pub fn predicted(&self) -> BTreeMap<u8, Vec<f64>> {
        rows(&self.predictor, self.predictor.now())
    }

    /// The avatar on the server.
    pub fn avatar(&mut self) -> Option<Entity> {
        let seat = self.table.seat(0);
        let world = self.table.world();
        let mut avatars = world.query_filtered::<(Entity, &Seat), With<Intent<G::Input>>>();
        avatars.iter(world).find(|(_, owner)| **owner == seat).map(|(avatar, _)| avatar)
    }
}

/// The predicted values of one entity at a tick, by component.
pub fn rows<G: Game>(predictor: &Predictor<G>, tick: Tick) -> BTreeMap<u8, Vec<f64>> {
    let mut values = Vec::new();
    predictor.read(tick, &mut values);
    split(predictor, &values)
}

/// Splits rows of values by component.
pub fn split<G: Game>(predictor: &Predictor<G>, mut values: &[f64]) -> BTreeMap<u8, Vec<f64>> {
    let mut rows = BTreeMap::new();
    while let [_, component, rest @ ..] = values {
        let known = predictor.components().find(|known| f64::from(known.id) == *component).unwrap();
        let (row, rest) = rest.split_at(known.columns);
        rows.insert(known.id, row.to_vec());
        values = rest;
    }
    rows
}
