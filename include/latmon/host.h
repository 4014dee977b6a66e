/* SPDX-License-Identifier: Apache-2.0
 *
 * What latmon gives a plugin: its log, the plugin's options, the meaning of a series id, and more
 * by extension. The struct grows only at its end: test `struct_size` before you use a function
 * behind the ABI 1 ruler. Every pointer in it is valid from create() until destroy() returns.
 *
 * Thread tags are those of plugin.h. */
#ifndef LATMON_HOST_H
#define LATMON_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"
#include "version.h"

LATMON_EXTERN_C_BEGIN

typedef enum latmon_log_level {
    LATMON_LOG_DEBUG = 1,
    LATMON_LOG_INFO = 2,
    LATMON_LOG_WARNING = 3,
    LATMON_LOG_ERROR = 4,
    LATMON_LOG_CRITICAL = 5
} latmon_log_level_t;

/* The keys that an operator wrote in this exporter's [[exporters]] table. Opaque: read it with the
 * option functions of latmon_host_t, in create() only. */
typedef struct latmon_options latmon_options_t;

/* Bits of latmon_series_t.flags. */
#define LATMON_SERIES_NO_RTT (1u << 0) /* The operator wants no round-trip times of this target. */
#define LATMON_SERIES_PEER (1u << 1)   /* KIND_REFLECTION: `source` and `tags` are the peer's. */

/* What a series id stands for. Immutable, and valid until destroy() returns. All strings are UTF-8,
 * end with a NUL and are never NULL; "" means that there is none. */
typedef struct latmon_series {
    uint32_t struct_size;    /* sizeof(latmon_series_t) when latmon was compiled. */
    uint32_t series_id;      /* As in latmon_sample_t. */
    uint8_t kind;            /* latmon_kind_t of the samples in it. */
    uint8_t protocol;        /* latmon_protocol_t */
    uint16_t port;           /* The target's port; 0 for none. */
    uint32_t tags_count;     /* Length of `tags`. */
    const char* name;        /* KIND_NODE: name of the counter. Else "". */
    const char* source;      /* This node's name; the sender's with LATMON_SERIES_PEER. */
    const char* target;      /* The target's label, or its host if it has none; of a reflection
                                this node's name. */
    const char* host;        /* The target's host as configured: address or name. */
    const char* const* tags; /* The target's tags as configured, "key:value", in their order. */
    int64_t interval_ns;     /* Time between two probes; 0 if there is none. */
    int64_t timeout_ns;      /* After which a probe counts as lost; 0 if there is none. */
    uint32_t flags;          /* LATMON_SERIES_... */
    /* ABI 1 ends here. Append below this line; never reorder, never remove. */

    /* KIND_EXCHANGE: the target's objective, as in latmon_window_t. 0 and 0: it has none. */
    double objective_ratio;
    int64_t objective_rtt_ns;
} latmon_series_t;

typedef struct latmon_host latmon_host_t;
struct latmon_host {
    uint32_t struct_size; /* sizeof(latmon_host_t) when latmon was compiled. */
    uint32_t abi_version; /* LATMON_ABI_VERSION of this latmon. */

    /* latmon's version, such as "0.1.0"; behind a blank the commit that was built, if that is
     * known: "0.1.0 (1a2b3c4d5e6f)", and "0.1.0 (1a2b3c4d5e6f+changes)" if it was changed. */
    const char* version;

    /* Writes one line, `text`, to latmon's log, marked with the exporter's name; under [metrics],
     * where there is but one exporter, without a mark. Copies `text`; may block on the log's
     * destination. Never write secrets.
     * [any-thread] */
    void (*log)(const latmon_host_t* host, latmon_log_level_t level, const char* text);

    /* True if a line of this level would be written: ask before you format an expensive one.
     * [any-thread] */
    bool (*log_enabled)(const latmon_host_t* host, latmon_log_level_t level);

    /* The series with this id, or NULL if there is none, or none yet: series of peers appear while
     * the exporter is active, each before its first sample comes. The first time costs little, an
     * array access from then on; keep the pointer if you like.
     * [main-thread, exporter-thread] */
    const latmon_series_t* (*series)(const latmon_host_t* host, uint32_t series_id);

    /* Ids run from 0 to series_count - 1; many of them have no series, or none yet. May grow while
     * the exporter is active, never shrinks.
     * [main-thread, exporter-thread] */
    uint32_t (*series_count)(const latmon_host_t* host);

    /* Options. Each returns the value that the operator wrote for `key`, or `fallback`. A value of
     * another type or out of [min, max] is reported by latmon with file, line and column,
     * `fallback` is returned, and the exporter is refused after create(): a plugin need not check
     * for that. A key of the table that create() never asked for is reported as unknown, and
     * refused too. Strings are valid until destroy() returns.
     * [main-thread & in create()] */
    const char* (*option_string)(const latmon_options_t* options, const char* key,
                                 const char* fallback);
    bool (*option_bool)(const latmon_options_t* options, const char* key, bool fallback);
    int64_t (*option_int)(const latmon_options_t* options, const char* key, int64_t fallback,
                          int64_t min, int64_t max);
    double (*option_float)(const latmon_options_t* options, const char* key, double fallback,
                           double min, double max);
    /* The element at `index` of a list of strings, or NULL past its end or if there is no list. */
    const char* (*option_list_item)(const latmon_options_t* options, const char* key,
                                    uint32_t index);

    /* An ability that latmon has in addition, or NULL if it does not have it. Ids are listed in
     * include/latmon/README.md, such as "latmon.windows/1"; what they return is described there.
     * [main-thread, exporter-thread] */
    const void* (*extension)(const latmon_host_t* host, const char* id);

    /* ABI 1 ends here. Append below this line; never reorder, never remove. */
};

LATMON_EXTERN_C_END

#endif /* LATMON_HOST_H */
