-- SPDX-License-Identifier: Apache-2.0
--
-- Tables for latmon's exporter "clickhouse", for servers from 22.2 on. schema-18.16.sql is for
-- older ones. docs/exporters/clickhouse.md tells what the columns mean.
--
--   clickhouse-client --multiquery < schema.sql
--
-- A column may be left out or have another type that still holds the value, and columns of your own
-- get their defaults: latmon looks at the table before it writes.

-- [[exporters]] plugin = "clickhouse": one row per sample, kept for 30 days.
CREATE TABLE IF NOT EXISTS latmon_samples
(
    time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    time_ns Int64 ALIAS toUnixTimestamp64Nano(time),
    kind LowCardinality(String),
    protocol LowCardinality(String),
    status LowCardinality(String),
    name LowCardinality(String),
    source LowCardinality(String),
    target LowCardinality(String),
    host LowCardinality(String),
    port UInt16,
    tags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    core UInt16,
    sequence Nullable(UInt32) CODEC(ZSTD(1)),
    packet_bytes UInt32,
    valid UInt32,
    blame Array(LowCardinality(String)),
    scheduled_ns Nullable(Int64) CODEC(ZSTD(1)),
    lateness_ns Nullable(Int64) CODEC(ZSTD(1)),
    rtt_ns Nullable(Int64) CODEC(ZSTD(1)),
    rtt_user_ns Nullable(Int64) CODEC(ZSTD(1)),
    turnaround_ns Nullable(Int64) CODEC(ZSTD(1)),
    local_tx_ns Nullable(Int64) CODEC(ZSTD(1)),
    local_rx_ns Nullable(Int64) CODEC(ZSTD(1)),
    peer_rx_ns Nullable(Int64) CODEC(ZSTD(1)),
    peer_tx_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_class LowCardinality(String),
    owd_fwd_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_fwd_lo_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_fwd_hi_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_rev_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_rev_lo_ns Nullable(Int64) CODEC(ZSTD(1)),
    owd_rev_hi_ns Nullable(Int64) CODEC(ZSTD(1)),
    t1_ns Nullable(Int64) CODEC(ZSTD(1)),
    t2_ns Nullable(Int64) CODEC(ZSTD(1)),
    t3_ns Nullable(Int64) CODEC(ZSTD(1)),
    t4_ns Nullable(Int64) CODEC(ZSTD(1)),
    t1_stamp LowCardinality(String),
    t2_stamp LowCardinality(String),
    t3_stamp LowCardinality(String),
    t4_stamp LowCardinality(String),
    clock_error_local_ns Nullable(Int64) CODEC(ZSTD(1)),
    clock_error_remote_ns Nullable(Int64) CODEC(ZSTD(1)),
    tcp_ack_ns Nullable(UInt32),
    peer_sequence Nullable(UInt32),
    peer_address LowCardinality(String),
    peer_port Nullable(UInt16),
    ssid Nullable(UInt16),
    ttl_fwd Nullable(UInt8),
    ttl_rev Nullable(UInt8),
    dscp_fwd Nullable(UInt8),
    dscp_rev Nullable(UInt8),
    value Nullable(Int64) CODEC(ZSTD(1)),
    error Nullable(Int32),
    error_name LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (kind, protocol, source, target, time)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- One row per path and minute, kept for 400 days, made of the rows that are inserted from now on.
-- Its columns are states of aggregate functions, which -Merge makes into values:
--   SELECT minute, target, quantilesTDigestMerge(0.5, 0.9, 0.95, 0.99, 0.999)(rtt_quantiles_ns)
--   FROM latmon_minutes GROUP BY minute, target
-- lost: by the network or the far end; lost_local: by this host, which says nothing of the network.
-- Late and duplicate replies, and invalid ones, belong to probes that are counted already; what
-- never left this host (local_error) is no probe. probes = answered + lost + lost_local.
CREATE MATERIALIZED VIEW IF NOT EXISTS latmon_minutes
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (kind, protocol, source, target, minute)
TTL minute + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1
AS
SELECT
    toStartOfMinute(toDateTime(time)) AS minute,
    kind,
    protocol,
    source,
    target,
    sumState(CAST(status NOT IN ('late', 'duplicate', 'invalid', 'local_error') AS UInt8))
        AS probes,
    sumState(CAST(status IN ('ok', 'reordered') AS UInt8)) AS answered,
    sumState(CAST(status IN ('lost', 'lost_forward', 'lost_reverse', 'unreachable') AS UInt8))
        AS lost,
    sumState(CAST(status IN ('lost_local_tx', 'lost_local_rx') AS UInt8)) AS lost_local,
    sumState(CAST(notEmpty(blame) AS UInt8)) AS blamed,
    minState(rtt_ns) AS rtt_min_ns,
    maxState(rtt_ns) AS rtt_max_ns,
    sumState(rtt_ns) AS rtt_sum_ns,
    quantilesTDigestState(0.5, 0.9, 0.95, 0.99, 0.999)(rtt_ns) AS rtt_quantiles_ns
FROM latmon_samples
WHERE kind IN ('exchange', 'connect')
GROUP BY minute, kind, protocol, source, target;

-- [metrics] backend = "clickhouse": the table of latency-monitor. 0 is a lost probe there.
CREATE TABLE IF NOT EXISTS metrics
(
    MetricName LowCardinality(String),
    Timestamp UInt64 CODEC(Delta, ZSTD(1)),
    MetricValue UInt64 CODEC(ZSTD(1)),
    Tags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    InsertedAt DateTime64(9) CODEC(Delta, ZSTD(1)),
    RetentionDays UInt8 DEFAULT 30
)
ENGINE = MergeTree
PARTITION BY toStartOfDay(InsertedAt)
ORDER BY (MetricName, toUnixTimestamp64Nano(InsertedAt))
TTL toDateTime(InsertedAt) + toIntervalDay(RetentionDays)
SETTINGS non_replicated_deduplication_window = 1000;
