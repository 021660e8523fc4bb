"""Lobby, chat, queue and a match with python-socketio: a client from neither this repository nor Socket.IO's own project.

Usage: python play.py <url of the server>
"""

import asyncio
import sys
import zlib

import msgpack
import socketio

# Nothing takes so long, not even on a slow and busy machine.
PATIENCE = 45
# The first bytes of a MessagePack bin: a deflated snapshot.
BIN = (0xC4, 0xC5, 0xC6)
SNAPSHOT, DIFF, MERGED = range(3)


class Client:
    """One connection, whose events wait in a queue for each name.

    It is the asyncio client: the one with threads starts one for each message, so that frames may come out of order.
    """

    def __init__(self, namespace, **options):
        self.namespace = namespace
        self.heard = {}
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False, **options)
        self.socket.on("*", self._hear, namespace=namespace)

    @classmethod
    async def to(cls, url, namespace, auth, style):
        client = cls(namespace, **style.get("client", {}))
        await client.socket.connect(url, auth=auth, namespaces=[namespace], wait_timeout=PATIENCE, **style.get("connect", {}))
        return client

    def _hear(self, event, *arguments):
        self.events(event).put_nowait(arguments[0] if arguments else None)

    def events(self, event):
        return self.heard.setdefault(event, asyncio.Queue())

    async def call(self, event, argument=None):
        return await self.socket.call(event, argument, namespace=self.namespace, timeout=PATIENCE)

    async def ask(self, event, argument=None):
        """The answer to a request that must not be refused."""
        answer = await self.call(event, argument)
        assert answer.get("ok") is True, f"{event} was answered with {answer}"
        return answer

    async def emit(self, event, argument):
        await self.socket.emit(event, argument, namespace=self.namespace)

    async def next(self, event):
        try:
            return await asyncio.wait_for(self.events(event).get(), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError(f"waited {PATIENCE} s in vain for the event {event}") from None

    async def close(self):
        await self.socket.disconnect()


def read_frame(binary):
    """A frame's head and its sections."""
    assert isinstance(binary, bytes), f"not a binary: {type(binary)}"
    if binary[0] in BIN:
        binary = zlib.decompress(msgpack.unpackb(binary), -15)
    kind, tick, age, ack, margin, *sections = msgpack.unpackb(binary)
    return {"kind": kind, "tick": tick, "age": age, "ack": ack, "margin": margin, "sections": sections}


class Seat:
    """A seat in a match: follows the ticks of its frames, and sends inputs."""

    def __init__(self, client, welcome):
        self.client = client
        self.welcome = welcome
        self.tick = None
        self.seq = 0

    async def next_frame(self):
        frame = read_frame(await self.client.next("s"))
        if frame["kind"] != SNAPSHOT:
            assert frame["tick"] - frame["age"] == self.tick, f"a diff on another tick than {self.tick}: {frame}"
        self.tick = frame["tick"]
        return frame

    async def press(self, *row):
        self.seq += 1
        # Tick 0 is the next one.
        await self.client.emit("i", msgpack.packb([self.tick % 65_536, self.seq, 0, *row]))
        return self.seq

    async def acknowledged(self, seq):
        """The first frame whose head says that the input was taken."""
        while True:
            frame = await self.next_frame()
            if frame["ack"] == seq:
                return frame
            assert frame["ack"] < seq, f"nobody has sent such an input yet: {frame}"


def columns(schema, **values):
    """An input in the schema's order; what is left out is 0, or as near to it as allowed."""
    row = []
    for field in schema["input"]["fields"]:
        if field["type"] == "choice":
            value = values.pop(field["name"], field["values"][0])
            row.append(field["values"].index(value))
        elif field["type"] == "bool":
            row.append(int(values.pop(field["name"], False)))
        elif field["type"] in ("vec2", "vec3"):
            row += [0] * int(field["type"][3])
        else:
            row.append(max(0, field.get("min", 0)))
    assert not values, f"the schema has no {values}"
    return row


async def talk(ada, bob):
    """Both of two people hear what one says, and `games` lists the game."""
    (arena,) = [game for game in (await ada.ask("games"))["games"] if game["name"] == "arena"]
    assert arena["seats"] == [2, 16], arena
    for person in (ada, bob):
        await person.ask("listen", {"channel": "lobby"})
    said = await ada.ask("chat", {"channel": "lobby", "text": "grüß dich"})
    for person in (ada, bob):
        line = await person.next("chat")
        assert (line["seq"], line["name"], line["text"]) == (said["seq"], "Ada", "grüß dich"), line
    refused = await bob.call("chat", {"channel": "lobby", "text": " "})
    assert (refused["ok"], refused["error"]["code"]) == (False, "bad_text"), refused


async def queue(waiting):
    """Both people are matched into one room."""
    for client in waiting:
        assert (await client.ask("enqueue", {"game": "arena"}))["position"] >= 1
    passes = [await client.next("matched") for client in waiting]
    assert passes[0]["room"] == passes[1]["room"] and passes[0]["url"] == "", passes
    return passes


async def play(seat):
    welcome = seat.welcome
    assert (welcome["game"], welcome["protocol"], welcome["state"]) == ("arena", 1, "snapshot"), welcome
    first = await seat.next_frame()
    assert first["kind"] == SNAPSHOT and first["sections"], first
    for way in ("E", "N"):
        seq = await seat.press(*columns(welcome["schema"], dir=way))
        frame = await seat.acknowledged(seq)
        assert frame["kind"] in (DIFF, MERGED), frame
    for _ in range(20):
        await seat.next_frame()
    assert seat.client.events("refused").empty(), seat.client.events("refused").get_nowait()
    assert seat.client.socket.transport() == "websocket", seat.client.socket.transport()


async def leave(seat):
    await seat.client.ask("leave")
    over = await seat.client.next("over")
    assert (over["reason"], over["winners"]) == ("left", []), over
    await seat.client.close()


async def main(url):
    # One with no option set, the other with MessagePack over WebSocket.
    connect = {"socketio_path": "socket.io-msgpack", "transports": ["websocket"]}
    styles = [{}, {"client": {"serializer": "msgpack"}, "connect": connect}]

    async def open_both(namespace, auths):
        return [await Client.to(url, namespace, auth, style) for auth, style in zip(auths, styles)]

    lobby = await open_both("/lobby", [{"name": "Ada"}, {"name": "Bob"}])
    sessions = [await client.next("session") for client in lobby]
    assert [(session["name"], session["guest"]) for session in sessions] == [("Ada", True), ("Bob", True)], sessions
    await talk(*lobby)
    print("talked in the lobby", flush=True)

    waiting = await open_both("/matchmaking", [{"token": session["token"]} for session in sessions])
    for client, session in zip(waiting, sessions):
        assert (await client.next("session"))["user"] == session["user"]
    passes = await queue(waiting)
    print(f"matched into room {passes[0]['room']}", flush=True)

    for client in await open_both("/gameplay", [{"ticket": granted["ticket"]} for granted in passes]):
        seat = Seat(client, await client.next("welcome"))
        await play(seat)
        print(f"seat {seat.welcome['seat']} played to tick {seat.tick}", flush=True)
        await leave(seat)
    for client in lobby + waiting:
        await client.close()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
