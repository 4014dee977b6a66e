/* SPDX-License-Identifier: Apache-2.0
 *
 * One measurement, as it travels from a core-thread through a queue to an exporter: 256 octets,
 * four cache lines, no pointers, the same on every core. The layout is frozen: samples stand in
 * arrays, so that not even their size may change within an ABI version. tests/abi pins every
 * offset.
 *
 * Two rules make a sample safe to publish:
 *   1. No value stands for "no value". A field holds something only if its bit in `valid` is set;
 *      otherwise it is zero and means nothing. A lost probe has no rtt, not an rtt of 0.
 *   2. Nothing is clamped. A negative one-way delay is a fact about two clocks and stays negative.
 *
 * All times are nanoseconds. Names of stamps are those of STAMP (RFC 8762) and TWAMP (RFC 5357):
 *
 *      sender   T1 ------------------> T2   reflector
 *               T4 <------------------ T3                rtt = (T4 - T1) - (T3 - T2)
 */
#ifndef LATMON_SAMPLE_H
#define LATMON_SAMPLE_H

#include <stdint.h>

#include "version.h"

LATMON_EXTERN_C_BEGIN

/* What was measured. Later versions add kinds: skip the ones you do not know. */
typedef enum latmon_kind {
    LATMON_KIND_EXCHANGE = 1,   /* One probe of ours and its fate: answered or not. */
    LATMON_KIND_CONNECT = 2,    /* One TCP handshake of ours on a fresh connection. */
    LATMON_KIND_REFLECTION = 3, /* One probe of somebody else's that we answered. */
    LATMON_KIND_NODE = 4,       /* One counter of latmon itself: see `value`. */
    /* Of an application; the series says whose, and by what name. */
    LATMON_KIND_COUNTER = 5, /* By how much a count grew: `value`. */
    LATMON_KIND_GAUGE = 6,   /* What a quantity is now: `value` holds the bits of a double. */
    LATMON_KIND_TIMING = 7   /* How long something took, in ns: `value`. */
} latmon_kind_t;

/* What became of it. Only OK and REORDERED were answered in time and carry an rtt. Later versions
 * add statuses: one that you do not know was not answered. */
typedef enum latmon_status {
    LATMON_STATUS_OK = 1,
    LATMON_STATUS_LOST = 2,         /* No reply within the timeout; lost on either way. */
    LATMON_STATUS_LOST_FORWARD = 3, /* The reflector never saw it. */
    LATMON_STATUS_LOST_REVERSE = 4, /* The reflector answered, the answer did not arrive. */
    LATMON_STATUS_LATE = 5,         /* A reply to a probe already reported lost; never an rtt. */
    LATMON_STATUS_DUPLICATE = 6,    /* One more reply to a probe already answered. */
    LATMON_STATUS_REORDERED = 7,    /* Answered, after a probe that was sent later. */
    LATMON_STATUS_LOCAL_ERROR = 8,  /* It never left this host: see `error`. */
    /* The network or the far host refused it: see `error`. Over TCP also a probe for which there is
     * no connection, because these two keep it from being there; it has no T1. */
    LATMON_STATUS_UNREACHABLE = 9,
    /* Replies that cannot be ours, or that make no sense: `value` of them since the last sample of
     * this status, told with the next probe, so that a flood of them is no flood of samples. */
    LATMON_STATUS_INVALID = 10,
    /* The kernel took it, and it never left this host: a queue or a filter of ours dropped it. */
    LATMON_STATUS_LOST_LOCAL_TX = 11,
    /* Its reply reached this host, and a receive buffer of ours had no room for it. */
    LATMON_STATUS_LOST_LOCAL_RX = 12
} latmon_status_t;

/* How much the one-way delays of this sample may be trusted. */
typedef enum latmon_owd_class {
    LATMON_OWD_NONE = 0,      /* No one-way delay is given. */
    LATMON_OWD_BOUNDED = 1,   /* Both clocks proved their bounds: truth lies in [lo, hi]. */
    LATMON_OWD_ESTIMATED = 2, /* Bounds by causality alone; the value assumes symmetry. */
    LATMON_OWD_RELATIVE = 3,  /* Only the change from sample to sample means something. */
    LATMON_OWD_FALSIFIED = 4  /* A clock claims what causality contradicts: no value is given. */
} latmon_owd_class_t;

/* Who made a time stamp, best first. */
typedef enum latmon_stamp {
    LATMON_STAMP_NONE = 0,   /* There is no such stamp. */
    LATMON_STAMP_HW = 1,     /* The network card. */
    LATMON_STAMP_KERNEL = 2, /* The kernel, at the driver's door. */
    LATMON_STAMP_USER = 3,   /* latmon, before the send call or after the receive call. */
    LATMON_STAMP_PEER = 4    /* The far end; how it was made is not known. */
} latmon_stamp_t;

/* How the packet travelled. */
typedef enum latmon_protocol {
    LATMON_PROTOCOL_NONE = 0,
    LATMON_PROTOCOL_UDP = 1,
    LATMON_PROTOCOL_TCP = 2
} latmon_protocol_t;

/* Bits of `valid`: which fields hold a value. Fields not named here always do. */
#define LATMON_HAS_RTT (1u << 0)            /* rtt_ns */
#define LATMON_HAS_RTT_USER (1u << 1)       /* rtt_user_ns */
#define LATMON_HAS_TURNAROUND (1u << 2)     /* turnaround_ns */
#define LATMON_HAS_LOCAL_TX (1u << 3)       /* local_tx_ns */
#define LATMON_HAS_LOCAL_RX (1u << 4)       /* local_rx_ns */
#define LATMON_HAS_PEER_RX (1u << 5)        /* peer_rx_ns */
#define LATMON_HAS_PEER_TX (1u << 6)        /* peer_tx_ns */
#define LATMON_HAS_OWD_FWD (1u << 7)        /* owd_fwd_ns */
#define LATMON_HAS_OWD_FWD_LO_HI (1u << 8)  /* owd_fwd_lo_ns, owd_fwd_hi_ns */
#define LATMON_HAS_OWD_REV (1u << 9)        /* owd_rev_ns */
#define LATMON_HAS_OWD_REV_LO_HI (1u << 10) /* owd_rev_lo_ns, owd_rev_hi_ns */
#define LATMON_HAS_T1 (1u << 11)
#define LATMON_HAS_T2 (1u << 12)
#define LATMON_HAS_T3 (1u << 13)
#define LATMON_HAS_T4 (1u << 14)
#define LATMON_HAS_CLOCK_ERROR_LOCAL (1u << 15)
#define LATMON_HAS_CLOCK_ERROR_REMOTE (1u << 16)
#define LATMON_HAS_PEER_SEQUENCE (1u << 17)
#define LATMON_HAS_TTL_FWD (1u << 18)
#define LATMON_HAS_TTL_REV (1u << 19)
#define LATMON_HAS_DSCP_FWD (1u << 20)
#define LATMON_HAS_DSCP_REV (1u << 21)
#define LATMON_HAS_SCHEDULE (1u << 22) /* scheduled_ns, lateness_ns */
#define LATMON_HAS_ERROR (1u << 23)    /* error */
#define LATMON_HAS_VALUE (1u << 24)    /* value */
#define LATMON_HAS_PEER (1u << 25)     /* peer_address, peer_port, ssid */
#define LATMON_HAS_SEQUENCE (1u << 26) /* sequence */
#define LATMON_HAS_TCP_ACK (1u << 27)  /* tcp_ack_ns */

/* Bits of `blame`: what this host did wrong while the exchange was under way. A statistic that
 * wants only the network leaves samples with any of them out; of round trips it may keep those
 * with no more than CLOCK_UNSYNCED, which concerns one-way delays alone. */
#define LATMON_BLAME_SENT_LATE (1u << 0)      /* We sent it late: lateness_ns says by how much. */
#define LATMON_BLAME_RECEIVED_LATE (1u << 1)  /* The kernel had the reply well before we read it. */
#define LATMON_BLAME_LOOP_STALLED (1u << 2)   /* A turn of our loop took too long. */
#define LATMON_BLAME_OVERFLOW (1u << 3)       /* A ring or a socket buffer of ours ran over. */
#define LATMON_BLAME_CPU_STEAL (1u << 4)      /* The hypervisor ran somebody else on our CPU. */
#define LATMON_BLAME_CLOCK_STEPPED (1u << 5)  /* Our wall clock jumped. */
#define LATMON_BLAME_CLOCK_UNSYNCED (1u << 6) /* Our wall clock is not synchronised. */

/* A value of `error` that is not an errno value: the target's name has no address yet. */
#define LATMON_ERROR_UNRESOLVED 10001

typedef struct latmon_sample {
    /* When the sample was made: CLOCK_REALTIME, since 1970. That is when all was known of it: of an
     * answer that waited for its peer's stamp of its departure, up to an interval after it came,
     * which t4_ns says. Samples of one series come in this order, unless the clock is set. */
    int64_t time_ns;
    int64_t scheduled_ns; /* When the probe was due: CLOCK_REALTIME, since 1970. */
    int64_t lateness_ns;  /* How much later than that we sent it: our error, not the network's. */

    /* The round trip of an exchange: network only, that is T4 - T1 less the turnaround, each stamp
     * the best there is. If the peer gave no usable turnaround, it is T4 - T1 and
     * LATMON_HAS_TURNAROUND is not set. Of a connect: from SYN to handshake complete. */
    int64_t rtt_ns;
    /* As an application sees it: before our send to after our receive. On a core with more than 64
     * probes this may hold up to 50 us for which replies wait for each other. */
    int64_t rtt_user_ns;
    int64_t turnaround_ns; /* T3 - T2: what the reflector took. */
    int64_t local_tx_ns;   /* Our send call until the kernel's or card's T1. */
    int64_t local_rx_ns;   /* The kernel's or card's T4 until we read it. */
    int64_t peer_rx_ns;    /* The same two at the reflector, where it tells. */
    int64_t peer_tx_ns;

    /* One-way delays, forward (to the reflector) and reverse. Meaning: see `owd_class`. */
    int64_t owd_fwd_ns;
    int64_t owd_fwd_lo_ns;
    int64_t owd_fwd_hi_ns;
    int64_t owd_rev_ns;
    int64_t owd_rev_lo_ns;
    int64_t owd_rev_hi_ns;

    /* The stamps themselves, since 1970, each by the clock of the host that made it. Differences
     * between the two hosts' stamps contain their clocks' offset. Where t1_stamp and t4_stamp are
     * HW, rtt_ns is by the card's clock; t1_ns and t4_ns are the kernel's all the same, because the
     * card's clock need not be the host's. */
    int64_t t1_ns;
    int64_t t2_ns;
    int64_t t3_ns;
    int64_t t4_ns;
    int64_t clock_error_local_ns;  /* Bound on our clock's error as we know it. */
    int64_t clock_error_remote_ns; /* Bound on the peer's, as the peer claims it. */

    int64_t value;          /* KIND_NODE: the counter's value. Its name is the series' name.
                               KIND_COUNTER, KIND_GAUGE, KIND_TIMING, STATUS_INVALID: see there. */
    uint32_t series_id;     /* Which target, reflector or counter: latmon_host_t.series(). */
    uint32_t valid;         /* LATMON_HAS_...: which fields hold a value. */
    uint32_t blame;         /* LATMON_BLAME_...: what we did wrong meanwhile. */
    uint32_t sequence;      /* The probe's sequence number; grows by one per probe, wraps. */
    uint32_t peer_sequence; /* The reflector's own, if it keeps state. */
    uint32_t packet_bytes;  /* UDP payload, or PDU in a TCP frame; 0 for connects and counters. */
    int32_t error;          /* errno value, or LATMON_ERROR_...; why it failed. */

    uint16_t core;      /* Index of the core-thread that made the sample. */
    uint16_t peer_port; /* The other end, host byte order. */
    uint16_t ssid;      /* STAMP session id, 0: none. */
    uint8_t kind;       /* latmon_kind_t */
    uint8_t status;     /* latmon_status_t */
    uint8_t protocol;   /* latmon_protocol_t */
    uint8_t owd_class;  /* latmon_owd_class_t */
    uint8_t t1_stamp;   /* latmon_stamp_t of each of the four stamps. */
    uint8_t t2_stamp;
    uint8_t t3_stamp;
    uint8_t t4_stamp;
    uint8_t ttl_fwd; /* TTL or hop limit as the reflector saw it, and as we did. */
    uint8_t ttl_rev;
    uint8_t dscp_fwd; /* DSCP (0..63) as the reflector saw it, and as we did. */
    uint8_t dscp_rev;
    uint8_t peer_address[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d. */

    uint8_t reserved[2];  /* Zero. May get a meaning behind a new LATMON_HAS_ bit. */
    uint32_t tcp_ack_ns;  /* TCP: our packet's departure to its acknowledgement by the peer's host,
                             4.29 s at most: the round trip without the peer's program. */
    uint8_t reserved2[4]; /* As reserved. */
} latmon_sample_t;

LATMON_EXTERN_C_END

#endif /* LATMON_SAMPLE_H */
