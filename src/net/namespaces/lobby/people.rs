//! The requests of `/lobby` about people: chat, presence and parties.

use serde::Deserialize;
use serde_json::json;

use crate::{
    host::{Hub, Refusal},
    lobby::{Channel, ChatTarget, Identity, SocialError, UserId},
    net::namespaces::{
        lobby::session::Lobby,
        namespace::Call,
        request::{Answer, Argument, answer, bad_request, done},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listen {
    channel: String,
    id: Option<String>,
    after: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    channel: Option<String>,
    to: Option<UserId>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typing {
    channel: Option<String>,
    to: Option<UserId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Users {
    users: Vec<UserId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    user: UserId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCode {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ready {
    ready: bool,
}

pub(crate) fn listen(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Listen { channel, id, after } = argument.read()?;
    let channel = named(&channel)?;
    let known = match (&id, after) {
        (Some(id), Some(after)) => Some((id.as_str(), after)),
        (None, None) => None,
        _ => return Err(bad_request("give `id` and `after` together, or neither")),
    };
    let (hub, by) = asked(call);
    let connection = call.namespace.connection(call.session, call.socket);
    answer(&hub.change(|social, _| social.listen(connection, by, channel, known))?)
}

pub(crate) fn chat(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Say { channel, to, text } = argument.read()?;
    let target = target(channel.as_deref(), to)?;
    let (hub, by) = asked(call);
    let seq = hub.change(|social, now| social.chat(by, &target, &text, now))?;
    answer(&json!({ "seq": seq }))
}

pub(crate) fn typing(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Typing { channel, to } = argument.read()?;
    let target = target(channel.as_deref(), to)?;
    let (hub, by) = asked(call);
    hub.change(|social, now| social.typing(by, &target, now))?;
    done()
}

pub(crate) fn presence(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Users { users } = argument.read()?;
    let (hub, _) = asked(call);
    let connection = call.namespace.connection(call.session, call.socket);
    let people = hub.change(|social, _| social.follow(connection, &users))?;
    answer(&json!({ "users": people }))
}

/// Sets whether other people's messages and invitations reach this one.
pub(crate) fn block(call: &Call<'_, Lobby>, argument: Argument, blocked: bool) -> Answer {
    let Users { users } = argument.read()?;
    let (hub, by) = asked(call);
    let blocked = hub.change(|social, _| social.block(by, &users, blocked))?;
    answer(&json!({ "blocked": blocked }))
}

pub(crate) fn party(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    argument.none()?;
    let (hub, by) = asked(call);
    answer(&json!({ "party": hub.change(|social, _| social.party_info(&by.user)) }))
}

pub(crate) fn party_create(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    argument.none()?;
    let (hub, by) = asked(call);
    let party = hub.change(|social, _| social.party_create(by).map(|()| social.party_info(&by.user)))?;
    answer(&json!({ "party": party }))
}

pub(crate) fn party_join(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let OfCode { code } = argument.read()?;
    let (hub, by) = asked(call);
    let join = || hub.change(|social, _| social.party_join(by, &code).map(|()| social.party_info(&by.user)));
    let party = call.namespace.0.try_code(by, join)?;
    answer(&json!({ "party": party }))
}

pub(crate) fn party_invite(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let OfUser { user } = argument.read()?;
    let (hub, by) = asked(call);
    hub.change(|social, now| social.party_invite(by, &user, now))?;
    done()
}

pub(crate) fn party_leave(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    argument.none()?;
    let (hub, by) = asked(call);
    hub.change(|social, _| social.party_leave(by))?;
    done()
}

pub(crate) fn party_promote(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let OfUser { user } = argument.read()?;
    let (hub, by) = asked(call);
    hub.change(|social, _| social.party_promote(by, &user))?;
    done()
}

pub(crate) fn party_kick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let OfUser { user } = argument.read()?;
    let (hub, by) = asked(call);
    hub.change(|social, _| social.party_kick(by, &user))?;
    done()
}

pub(crate) fn party_ready(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Ready { ready } = argument.read()?;
    let (hub, by) = asked(call);
    hub.change(|social, _| social.party_ready(by, ready))?;
    done()
}

/// The hub that answers a request, and the user who makes it.
fn asked<'a>(call: &Call<'a, Lobby>) -> (&'a Hub, &'a Identity) {
    (call.namespace.0.social(), call.session.identity())
}

fn target(channel: Option<&str>, to: Option<UserId>) -> Result<ChatTarget, Refusal> {
    match (channel, to) {
        (Some(channel), None) => Ok(ChatTarget::Channel(named(channel)?)),
        (None, Some(user)) => Ok(ChatTarget::User(user)),
        _ => Err(bad_request("give either `channel` or `to`")),
    }
}

fn named(channel: &str) -> Result<Channel, Refusal> {
    Channel::named(channel).ok_or_else(|| SocialError::UnknownChannel.into())
}
