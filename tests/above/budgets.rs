//! The budgets of rooms without a network, in virtual time.

use serde_json::json;
use tickcast::room::OverReason;

use crate::host::{ada, host_with, options, seconds, walk_in};

#[tokio::test(start_paused = true)]
async fn a_match_with_too_many_entities_ends() {
    let host = host_with(|limits| limits.max_entities = 500);
    let crowded = host.create("duel", &options(json!({ "spawn": 100 })), &ada()).unwrap();
    let (_claim, memory) = walk_in(&host, &crowded.ticket);
    let roomy = host.create("duel", &options(json!({ "spawn": 1 })), &ada()).unwrap();
    let (_other, beside) = walk_in(&host, &roomy.ticket);
    seconds(2.0).await;
    assert_eq!((memory.overs(), beside.overs()), (vec![OverReason::OverBudget], vec![]));
    assert!(memory.messages().contains("entities, and 500 are allowed"), "{}", memory.messages());
}

#[tokio::test(start_paused = true)]
async fn a_room_that_sends_too_many_bytes_is_slowed_and_then_ends() {
    // Of state, and of events.
    for (allowed, babble) in [(1, 0), (2500, 3)] {
        let host = host_with(|limits| limits.bytes_per_tick = allowed);
        let admission = host.create("duel", &options(json!({ "babble": babble })), &ada()).unwrap();
        let (_claim, memory) = walk_in(&host, &admission.ticket);
        seconds(8.0).await;
        assert_eq!(memory.overs(), []);
        seconds(4.0).await;
        assert_eq!(memory.overs(), [OverReason::OverBudget]);
        let told = format!("bytes on average, and {allowed} are allowed");
        assert!(memory.messages().contains(&told), "{}", memory.messages());
    }
}
