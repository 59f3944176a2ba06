//! A user of Redis who may do no more than he has to.

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    redis::{RedisLink, session::RedisSessionStore},
    session::store::Ask,
};

use super::{LEASE, LONG, command, key, name, turn, until};

/// What the page of `redis` says that a user needs.
const RIGHTS: &str = "on >secret resetchannels -@all ~kimi:* +ping +evalsha +script|load +time +info \
    +get +set +del +publish +subscribe +hget +hmget +hset +hdel +pexpire +zadd +zcard +zrange +zrank \
    +zrem +zremrangebyscore +zscore";

#[tokio::test]
async fn turns_need_no_more_rights_than_the_docs_say_and_go_on_without_channels() {
    let Some(redis) = RedisServer::start() else { return };
    command(&redis, "SET", &["kimi:{session}:epoch", "0"]).await;
    for channels in ["&kimi:*", ""] {
        let rights = format!("SETUSER gateway reset {RIGHTS} {channels}");
        command(&redis, "ACL", &rights.split_whitespace().collect::<Vec<_>>()).await;
        let url = format!("redis://gateway:secret@127.0.0.1:{}", redis.port());
        let link = RedisLink::try_new(url).unwrap().with_timeout(LONG);
        let store = RedisSessionStore::new(link).with_lease(LEASE);
        let session = format!("s{channels}");
        let held = turn(&store, &Ask::new(key(&session))).await.unwrap();
        let leased = async || command(&redis, "HGET", &[&name("session", &session), "u"]).await;
        let mut before = leased().await;
        for _ in 0..4 {
            until("it is not leased again", async || leased().await != before).await;
            before = leased().await;
        }
        drop(held);
        until("it is not given back", async || leased().await == redis::Value::Nil).await;
        // Of channels alone.
        let denied: Vec<Vec<redis::Value>> =
            redis::from_redis_value(command(&redis, "ACL", &["LOG"]).await).unwrap();
        let denied = format!("{denied:?}");
        assert_eq!(denied.contains("channel"), channels.is_empty(), "{denied}");
        assert!(!denied.contains("command") && !denied.contains("'key'"), "{denied}");
    }
}
