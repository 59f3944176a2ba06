//! Users who may not do everything, clusters, and the names in Redis.

use std::time::Duration;

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    rate_limit::{
        Gcra, Plan, Quota, Rule, SlidingWindow,
        store::{Patience, RateStore as _},
    },
    redis::{RedisLink, rate::RedisRateStore},
};
use tokio::time::timeout;

use super::{MINUTE, asks, asks_many, one, until};

/// What the module's page says that a user needs.
const RIGHTS: &str = "on >secret ~kimi:* resetchannels -@all +ping +evalsha +script|load +time \
    +hmget +hset +pexpire +zadd +zcard +zrange +zrangebyscore +zrem +zremrangebyscore +zrevrange";

fn client(redis: &RedisServer) -> redis::Connection {
    redis::Client::open(redis.url()).unwrap().get_connection().unwrap()
}

fn with_user(redis: &RedisServer, rights: &str) -> RedisLink {
    let mut set = redis::cmd("ACL");
    set.arg("SETUSER").arg("gateway");
    for right in rights.split_whitespace() {
        set.arg(right);
    }
    set.exec(&mut client(redis)).unwrap();
    let url = format!("redis://gateway:secret@127.0.0.1:{}", redis.port());
    RedisLink::try_new(url).unwrap().with_timeout(MINUTE)
}

/// All commands of both scripts.
fn plan() -> Plan {
    let quota = |units| Quota::try_new(units, MINUTE).unwrap();
    Plan::new(Rule::requests(SlidingWindow::try_new(quota(3)).unwrap()))
        .try_with(Rule::tokens(Gcra::new(quota(100))))
        .unwrap()
}

#[tokio::test]
async fn a_user_needs_no_more_rights_than_the_docs_say() {
    let Some(redis) = RedisServer::start() else { return };
    let store = RedisRateStore::new(with_user(&redis, RIGHTS), plan());
    assert_eq!(asks_many(&store, 9).await, 3);
    let mut ask = one(&store);
    ask.patience = Some(Patience::new(9 * MINUTE, 9));
    // Places that are left, and what is given back.
    for _ in 0..3 {
        drop(timeout(Duration::from_millis(20), store.ask(&ask)).await);
    }
    until("the queue is not empty", async || {
        let state = store.link().name(ask.key, "rate:0:queue");
        redis::cmd("ZCARD").arg(state).query::<u32>(&mut client(&redis)).unwrap() == 0
    })
    .await;
    let denied: Vec<redis::Value> =
        redis::cmd("ACL").arg("LOG").query(&mut client(&redis)).unwrap();
    assert!(denied.is_empty(), "{denied:?}");
}

/// One that may not run scripts is told so by the mode, and the link does not hold Redis to be down.
#[tokio::test]
async fn a_user_without_rights_is_refused_and_redis_is_up() {
    let Some(redis) = RedisServer::start() else { return };
    let store = RedisRateStore::new(with_user(&redis, "on >secret -@all +ping"), plan());
    assert!(store.ask(&one(&store)).await.is_err());
    assert!(store.link().is_up());
    // As soon as he may, he is served.
    let _ = with_user(&redis, RIGHTS);
    assert!(asks(&store).await);
}

/// All names of a key have one hash tag: a server of a cluster runs the scripts.
#[tokio::test]
async fn a_server_of_a_cluster_finds_all_names_of_a_key_in_one_slot() {
    let Some(redis) = RedisServer::start_with(|_| ["--cluster-enabled", "yes"]) else { return };
    let mut connection = client(&redis);
    let all = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16_383).exec(&mut connection);
    all.unwrap();
    until("the cluster is not ready", async || {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut client(&redis)).unwrap();
        info.contains("cluster_state:ok")
    })
    .await;
    let link = RedisLink::try_new(redis.url()).unwrap().with_timeout(MINUTE).with_prefix("{x}:");
    let store = RedisRateStore::new(link, plan());
    assert_eq!(asks_many(&store, 9).await, 3);
}

/// All limits of a request are asked for in one round trip.
#[tokio::test]
async fn several_limits_are_decided_in_one_round_trip() {
    let Some(redis) = RedisServer::start() else { return };
    let link = RedisLink::try_new(redis.url()).unwrap().with_timeout(MINUTE);
    let store = RedisRateStore::new(link, plan());
    assert!(asks(&store).await);
    let count = || -> u64 {
        let info: String =
            redis::cmd("INFO").arg("commandstats").query(&mut client(&redis)).unwrap();
        let scripts = info.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap();
        scripts.split("calls=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let before = count();
    asks_many(&store, 10).await;
    assert_eq!(count() - before, 10);
}
