-- SPDX-License-Identifier: Apache-2.0
--
-- Tables for latmon's exporter "clickhouse", for old servers, from 18.16 on (Debian 12 has that).
-- schema.sql is for those from 22.2 on. They know neither Map, DateTime64, codecs nor TTL.
-- docs/exporters/clickhouse.md tells what the columns mean, and how to drop what is old.
--
--   clickhouse-client --multiquery < schema-18.16.sql
--
-- A column may be left out or have another type that still holds the value, and columns of your own
-- get their defaults: latmon looks at the table before it writes.

-- [[exporters]] plugin = "clickhouse": one row per sample. A partition is a day.
CREATE TABLE IF NOT EXISTS latmon_samples
(
    time DateTime('UTC'),
    time_ns Int64,
    kind String,
    protocol String,
    status String,
    name String,
    source String,
    target String,
    host String,
    port UInt16,
    tags Nested(key String, value String),
    core UInt16,
    sequence Nullable(UInt32),
    packet_bytes UInt32,
    valid UInt32,
    blame Array(String),
    scheduled_ns Nullable(Int64),
    lateness_ns Nullable(Int64),
    rtt_ns Nullable(Int64),
    rtt_user_ns Nullable(Int64),
    turnaround_ns Nullable(Int64),
    local_tx_ns Nullable(Int64),
    local_rx_ns Nullable(Int64),
    peer_rx_ns Nullable(Int64),
    peer_tx_ns Nullable(Int64),
    owd_class String,
    owd_fwd_ns Nullable(Int64),
    owd_fwd_lo_ns Nullable(Int64),
    owd_fwd_hi_ns Nullable(Int64),
    owd_rev_ns Nullable(Int64),
    owd_rev_lo_ns Nullable(Int64),
    owd_rev_hi_ns Nullable(Int64),
    t1_ns Nullable(Int64),
    t2_ns Nullable(Int64),
    t3_ns Nullable(Int64),
    t4_ns Nullable(Int64),
    t1_stamp String,
    t2_stamp String,
    t3_stamp String,
    t4_stamp String,
    clock_error_local_ns Nullable(Int64),
    clock_error_remote_ns Nullable(Int64),
    tcp_ack_ns Nullable(UInt32),
    peer_sequence Nullable(UInt32),
    peer_address String,
    peer_port Nullable(UInt16),
    ssid Nullable(UInt16),
    ttl_fwd Nullable(UInt8),
    ttl_rev Nullable(UInt8),
    dscp_fwd Nullable(UInt8),
    dscp_rev Nullable(UInt8),
    value Nullable(Int64),
    error Nullable(Int32),
    error_name String
)
ENGINE = MergeTree()
PARTITION BY toDate(time)
ORDER BY (kind, protocol, source, target, time_ns);

-- One row per path and minute, made of the rows that are inserted from now on. Its columns
-- are states of aggregate functions, which -Merge makes into values:
--   SELECT minute, target, quantilesTDigestMerge(0.5, 0.9, 0.95, 0.99, 0.999)(rtt_quantiles_ns)
--   FROM latmon_minutes GROUP BY minute, target
-- lost: by the network or the far end; lost_local: by this host, which says nothing of the network.
-- Late and duplicate replies, and invalid ones, belong to probes that are counted already; what
-- never left this host (local_error) is no probe. probes = answered + lost + lost_local.
CREATE MATERIALIZED VIEW IF NOT EXISTS latmon_minutes
ENGINE = AggregatingMergeTree()
PARTITION BY toYYYYMM(minute)
ORDER BY (kind, protocol, source, target, minute)
AS
SELECT
    toStartOfMinute(time) AS minute,
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
    MetricName String,
    Timestamp UInt64,
    MetricValue UInt64,
    Tags Nested(Key String, Value String),
    InsertedAt DateTime,
    RetentionDays UInt8 DEFAULT 30
)
ENGINE = MergeTree()
PARTITION BY toDate(InsertedAt)
ORDER BY (MetricName, Timestamp);
