-- Words that SQLite and PostgreSQL both understand. Times are milliseconds since 1970, flags are 0 or 1.

CREATE TABLE players (
    user_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    guest BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);

CREATE INDEX players_by_guest_and_time ON players (guest, last_seen);

CREATE TABLE ratings (
    user_id TEXT NOT NULL,
    game TEXT NOT NULL,
    mode TEXT NOT NULL,
    rating DOUBLE PRECISION NOT NULL,
    deviation DOUBLE PRECISION NOT NULL,
    volatility DOUBLE PRECISION NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (user_id, game, mode)
);

CREATE INDEX ratings_by_height ON ratings (game, mode, rating);

CREATE TABLE matches (
    id TEXT PRIMARY KEY,
    room TEXT NOT NULL,
    game TEXT NOT NULL,
    mode TEXT NOT NULL,
    began BIGINT NOT NULL,
    ended BIGINT NOT NULL
);

CREATE INDEX matches_by_time ON matches (ended);

CREATE TABLE match_players (
    match_id TEXT NOT NULL REFERENCES matches (id),
    user_id TEXT NOT NULL,
    seat BIGINT NOT NULL,
    won BIGINT NOT NULL,
    stayed BIGINT NOT NULL,
    PRIMARY KEY (match_id, user_id)
);

CREATE INDEX match_players_by_user ON match_players (user_id);

CREATE TABLE bans (
    user_id TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);
