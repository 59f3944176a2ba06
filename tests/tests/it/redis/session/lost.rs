//! Turns that end before their answer does.

use std::{task::Waker, time::Duration};

use kimi_tower::session::{
    Lost, Refused,
    store::{Ask, SessionTurn as _},
};
use tokio::time::{sleep, timeout};

use super::{
    Answer, LEASE, RedisServer, endless, ends_for_the_next, enter, key, place, store, turn, wait,
};

#[tokio::test]
async fn the_newest_of_all_machines_wins() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let mut ask = Ask::new(key("c-1"));
    let mut first = turn(&one, &ask).await.unwrap();
    let answer = Answer::of(&mut first, None);
    let mut second = place(&one, &ask);
    enter(&mut second).await;
    ask.supersedes = true;
    let mut third = place(&other, &ask);
    enter(&mut third).await;
    assert_eq!(wait(&mut second).await.unwrap_err(), Refused::Superseded);
    // It waits for the end of what it has ended.
    let told = async {
        assert_eq!(answer.end().await, Lost::Superseded);
        drop(first);
    };
    let (third, ()) = tokio::join!(wait(&mut third), told);
    drop(third.unwrap());
}

#[tokio::test]
async fn one_that_does_not_end_when_it_is_told_loses_its_turn() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let mut ask = Ask::new(key("c-1"));
    let mut first = turn(&one, &ask).await.unwrap();
    ask.supersedes = true;
    drop(turn(&other, &ask).await.unwrap());
    let lost = first.poll_lost(&mut std::task::Context::from_waker(Waker::noop()));
    assert_eq!(lost, std::task::Poll::Ready(Lost::Superseded));
}

#[tokio::test]
async fn times_of_those_who_hold_are_bounded_by_others_elsewhere() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let short = Some(Duration::from_millis(100));
    let (mut held, mut idle) = (Ask::new(key("c-1")), Ask::new(key("c-2")));
    (held.max_hold, idle.max_idle) = (short, short);
    for (ask, lost) in [(held, Lost::MaxHold), (idle, Lost::Idle)] {
        let first = turn(&one, &ask).await.unwrap();
        ends_for_the_next(first, place(&other, &ask), lost).await;
    }
}

#[tokio::test]
async fn a_holder_ends_by_itself_when_redis_is_away() {
    for is_frozen in [true, false] {
        let Some(mut server) = RedisServer::start() else { return };
        let store = store(&server);
        let mut turn = turn(&store, &Ask::new(key("c-1"))).await.unwrap();
        let answer = Answer::of(&mut turn, None);
        if is_frozen {
            server.freeze();
        } else {
            server.kill();
        }
        assert_eq!(answer.end().await, Lost::Lease);
    }
}

#[tokio::test]
async fn a_turn_outlives_its_lease_and_a_redis_that_forgets() {
    let Some(mut server) = RedisServer::start() else { return };
    let (one, other) = (store(&server), store(&server));
    let ask = Ask::new(key("c-1"));
    let mut first = turn(&one, &ask).await.unwrap();
    let answer = Answer::of(&mut first, None);
    let mut second = place(&other, &ask);
    enter(&mut second).await;
    server.restart();
    // Who asks a server that has forgotten all is given nothing that another has.
    let nobody = async {
        loop {
            match turn(&other, &ask).await {
                Err(Refused::Unavailable) => sleep(Duration::from_millis(10)).await,
                given => return given,
            }
        }
    };
    assert!(timeout(LEASE * 2, nobody).await.is_err());
    assert_eq!(answer.why.get(), None);
    let fence = first.fence();
    drop(first);
    drop(second);
    assert!(turn(&other, &ask).await.unwrap().fence() > fence);
}
