//! Who has the turn and who waits, with leases that do not run out: each is given on.

use kimi_tower::session::{
    Refused,
    store::{Ask, SessionPlace as _, SessionTurn as _},
};

use super::{RedisServer, endless, enter, key, place, turn, until, wait};

#[tokio::test]
async fn one_at_a_time_of_all_processes_in_the_order_of_asking() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let ask = Ask::new(key("c-1"));
    let first = turn(&one, &ask).await.unwrap();
    // Another session is not concerned.
    drop(turn(&other, &Ask::new(key("c-2"))).await.unwrap());
    let mut places = [&other, &one, &other].map(|store| place(store, &ask));
    for (index, place) in places.iter_mut().enumerate() {
        enter(place).await;
        assert_eq!(place.ahead(), Some(index + 1));
    }
    let mut last = first.fence().unwrap();
    assert_eq!(last.get(), first.number());
    let mut held = first;
    for place in &mut places {
        drop(held);
        held = wait(place).await.unwrap();
        assert!(held.fence().unwrap() > last);
        last = held.fence().unwrap();
    }
    drop(held);
    until("all is given back", async || {
        (one.active(), one.waiting(), other.active(), other.waiting()) == (0, 0, 0, 0)
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_makes_room_for_the_next() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let ask = Ask::new(key("c-1"));
    let first = turn(&one, &ask).await.unwrap();
    let (mut second, mut third) = (place(&other, &ask), place(&one, &ask));
    enter(&mut second).await;
    enter(&mut third).await;
    drop(second);
    drop(first);
    drop(wait(&mut third).await.unwrap());
}

#[tokio::test]
async fn only_as_many_wait_as_may_on_all_machines() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let mut ask = Ask::new(key("c-1"));
    ask.max_waiting = 1;
    let first = turn(&one, &ask).await.unwrap();
    let mut second = place(&one, &ask);
    enter(&mut second).await;
    assert_eq!(turn(&other, &ask).await.unwrap_err(), Refused::Busy);
    ask.max_waiting = 0;
    assert_eq!(turn(&other, &ask).await.unwrap_err(), Refused::Busy);
    drop(first);
    drop(wait(&mut second).await.unwrap());
    // Nobody is before it.
    until("a turn is free", async || turn(&other, &ask).await.is_ok()).await;
}

#[tokio::test]
async fn there_are_only_so_many_sessions_of_a_process() {
    use kimi_tower::session::store::{Asked, SessionStore as _};
    let Some(server) = RedisServer::start() else { return };
    let store = endless(&server).await;
    let mut ask = Ask::new(key("c-1"));
    ask.max_sessions = 1;
    let first = turn(&store, &ask).await.unwrap();
    let mut more = ask;
    more.key = key("c-2");
    assert!(matches!(store.ask(&more), Asked::Refused(Refused::TooManySessions)));
    assert!(matches!(store.ask(&ask), Asked::Waits { .. }));
    drop(first);
    drop(turn(&store, &more).await.unwrap());
}
