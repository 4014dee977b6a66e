/* SPDX-License-Identifier: Apache-2.0
 *
 * Where every field of ABI 1 lies, as numbers. A plugin that was compiled years ago has these
 * numbers in its code: a line here is never changed, lines are only added at the end of a struct
 * that may grow (all but latmon_sample_t). Compiled, never run. 64-bit machines. */
#include <latmon/latmon.h>

#include <stddef.h>

#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define VALUE(constant, number) _Static_assert((constant) == (number), #constant " has changed")

_Static_assert(LATMON_ABI_VERSION == 1u, "this file is about ABI 1");

_Static_assert(sizeof(latmon_sample_t) == 256, "samples stand in arrays");
AT(latmon_sample_t, time_ns, 0);
AT(latmon_sample_t, scheduled_ns, 8);
AT(latmon_sample_t, lateness_ns, 16);
AT(latmon_sample_t, rtt_ns, 24);
AT(latmon_sample_t, rtt_user_ns, 32);
AT(latmon_sample_t, turnaround_ns, 40);
AT(latmon_sample_t, local_tx_ns, 48);
AT(latmon_sample_t, local_rx_ns, 56);
AT(latmon_sample_t, peer_rx_ns, 64);
AT(latmon_sample_t, peer_tx_ns, 72);
AT(latmon_sample_t, owd_fwd_ns, 80);
AT(latmon_sample_t, owd_fwd_lo_ns, 88);
AT(latmon_sample_t, owd_fwd_hi_ns, 96);
AT(latmon_sample_t, owd_rev_ns, 104);
AT(latmon_sample_t, owd_rev_lo_ns, 112);
AT(latmon_sample_t, owd_rev_hi_ns, 120);
AT(latmon_sample_t, t1_ns, 128);
AT(latmon_sample_t, t2_ns, 136);
AT(latmon_sample_t, t3_ns, 144);
AT(latmon_sample_t, t4_ns, 152);
AT(latmon_sample_t, clock_error_local_ns, 160);
AT(latmon_sample_t, clock_error_remote_ns, 168);
AT(latmon_sample_t, value, 176);
AT(latmon_sample_t, series_id, 184);
AT(latmon_sample_t, valid, 188);
AT(latmon_sample_t, blame, 192);
AT(latmon_sample_t, sequence, 196);
AT(latmon_sample_t, peer_sequence, 200);
AT(latmon_sample_t, packet_bytes, 204);
AT(latmon_sample_t, error, 208);
AT(latmon_sample_t, core, 212);
AT(latmon_sample_t, peer_port, 214);
AT(latmon_sample_t, ssid, 216);
AT(latmon_sample_t, kind, 218);
AT(latmon_sample_t, status, 219);
AT(latmon_sample_t, protocol, 220);
AT(latmon_sample_t, owd_class, 221);
AT(latmon_sample_t, t1_stamp, 222);
AT(latmon_sample_t, t2_stamp, 223);
AT(latmon_sample_t, t3_stamp, 224);
AT(latmon_sample_t, t4_stamp, 225);
AT(latmon_sample_t, ttl_fwd, 226);
AT(latmon_sample_t, ttl_rev, 227);
AT(latmon_sample_t, dscp_fwd, 228);
AT(latmon_sample_t, dscp_rev, 229);
AT(latmon_sample_t, peer_address, 230);
AT(latmon_sample_t, reserved, 246);

_Static_assert(sizeof(latmon_series_t) >= 80, "the least a plugin of ABI 1 may read");
AT(latmon_series_t, struct_size, 0);
AT(latmon_series_t, series_id, 4);
AT(latmon_series_t, kind, 8);
AT(latmon_series_t, protocol, 9);
AT(latmon_series_t, port, 10);
AT(latmon_series_t, tags_count, 12);
AT(latmon_series_t, name, 16);
AT(latmon_series_t, source, 24);
AT(latmon_series_t, target, 32);
AT(latmon_series_t, host, 40);
AT(latmon_series_t, tags, 48);
AT(latmon_series_t, interval_ns, 56);
AT(latmon_series_t, timeout_ns, 64);
AT(latmon_series_t, flags, 72);

_Static_assert(sizeof(latmon_host_t) >= 96, "the least a plugin of ABI 1 may read");
AT(latmon_host_t, struct_size, 0);
AT(latmon_host_t, abi_version, 4);
AT(latmon_host_t, version, 8);
AT(latmon_host_t, log, 16);
AT(latmon_host_t, log_enabled, 24);
AT(latmon_host_t, series, 32);
AT(latmon_host_t, series_count, 40);
AT(latmon_host_t, option_string, 48);
AT(latmon_host_t, option_bool, 56);
AT(latmon_host_t, option_int, 64);
AT(latmon_host_t, option_float, 72);
AT(latmon_host_t, option_list_item, 80);
AT(latmon_host_t, extension, 88);

_Static_assert(sizeof(latmon_plugin_t) >= 64, "the least a plugin of ABI 1 has");
AT(latmon_plugin_t, struct_size, 0);
AT(latmon_plugin_t, abi_version, 4);
AT(latmon_plugin_t, name, 8);
AT(latmon_plugin_t, version, 16);
AT(latmon_plugin_t, create, 24);
AT(latmon_plugin_t, export_batch, 32);
AT(latmon_plugin_t, flush, 40);
AT(latmon_plugin_t, destroy, 48);
AT(latmon_plugin_t, extension, 56);

VALUE(LATMON_RESULT_OK, 0);
VALUE(LATMON_RESULT_ERROR, 1);

VALUE(LATMON_LOG_DEBUG, 1);
VALUE(LATMON_LOG_INFO, 2);
VALUE(LATMON_LOG_WARNING, 3);
VALUE(LATMON_LOG_ERROR, 4);
VALUE(LATMON_LOG_CRITICAL, 5);

VALUE(LATMON_SERIES_NO_RTT, 1);

VALUE(LATMON_KIND_EXCHANGE, 1);
VALUE(LATMON_KIND_CONNECT, 2);
VALUE(LATMON_KIND_REFLECTION, 3);
VALUE(LATMON_KIND_NODE, 4);

VALUE(LATMON_STATUS_OK, 1);
VALUE(LATMON_STATUS_LOST, 2);
VALUE(LATMON_STATUS_LOST_FORWARD, 3);
VALUE(LATMON_STATUS_LOST_REVERSE, 4);
VALUE(LATMON_STATUS_LATE, 5);
VALUE(LATMON_STATUS_DUPLICATE, 6);
VALUE(LATMON_STATUS_REORDERED, 7);
VALUE(LATMON_STATUS_LOCAL_ERROR, 8);
VALUE(LATMON_STATUS_UNREACHABLE, 9);
VALUE(LATMON_STATUS_INVALID, 10);

VALUE(LATMON_OWD_NONE, 0);
VALUE(LATMON_OWD_BOUNDED, 1);
VALUE(LATMON_OWD_ESTIMATED, 2);
VALUE(LATMON_OWD_RELATIVE, 3);
VALUE(LATMON_OWD_FALSIFIED, 4);

VALUE(LATMON_STAMP_NONE, 0);
VALUE(LATMON_STAMP_HW, 1);
VALUE(LATMON_STAMP_KERNEL, 2);
VALUE(LATMON_STAMP_USER, 3);
VALUE(LATMON_STAMP_PEER, 4);

VALUE(LATMON_PROTOCOL_NONE, 0);
VALUE(LATMON_PROTOCOL_UDP, 1);
VALUE(LATMON_PROTOCOL_TCP, 2);

VALUE(LATMON_HAS_RTT, 1u << 0);
VALUE(LATMON_HAS_RTT_USER, 1u << 1);
VALUE(LATMON_HAS_TURNAROUND, 1u << 2);
VALUE(LATMON_HAS_LOCAL_TX, 1u << 3);
VALUE(LATMON_HAS_LOCAL_RX, 1u << 4);
VALUE(LATMON_HAS_PEER_RX, 1u << 5);
VALUE(LATMON_HAS_PEER_TX, 1u << 6);
VALUE(LATMON_HAS_OWD_FWD, 1u << 7);
VALUE(LATMON_HAS_OWD_FWD_LO_HI, 1u << 8);
VALUE(LATMON_HAS_OWD_REV, 1u << 9);
VALUE(LATMON_HAS_OWD_REV_LO_HI, 1u << 10);
VALUE(LATMON_HAS_T1, 1u << 11);
VALUE(LATMON_HAS_T2, 1u << 12);
VALUE(LATMON_HAS_T3, 1u << 13);
VALUE(LATMON_HAS_T4, 1u << 14);
VALUE(LATMON_HAS_CLOCK_ERROR_LOCAL, 1u << 15);
VALUE(LATMON_HAS_CLOCK_ERROR_REMOTE, 1u << 16);
VALUE(LATMON_HAS_PEER_SEQUENCE, 1u << 17);
VALUE(LATMON_HAS_TTL_FWD, 1u << 18);
VALUE(LATMON_HAS_TTL_REV, 1u << 19);
VALUE(LATMON_HAS_DSCP_FWD, 1u << 20);
VALUE(LATMON_HAS_DSCP_REV, 1u << 21);
VALUE(LATMON_HAS_SCHEDULE, 1u << 22);
VALUE(LATMON_HAS_ERROR, 1u << 23);
VALUE(LATMON_HAS_VALUE, 1u << 24);
VALUE(LATMON_HAS_PEER, 1u << 25);
VALUE(LATMON_HAS_SEQUENCE, 1u << 26);

VALUE(LATMON_BLAME_SENT_LATE, 1u << 0);
VALUE(LATMON_BLAME_RECEIVED_LATE, 1u << 1);
VALUE(LATMON_BLAME_LOOP_STALLED, 1u << 2);
VALUE(LATMON_BLAME_OVERFLOW, 1u << 3);
VALUE(LATMON_BLAME_CPU_STEAL, 1u << 4);
VALUE(LATMON_BLAME_CLOCK_STEPPED, 1u << 5);
VALUE(LATMON_BLAME_CLOCK_UNSYNCED, 1u << 6);

VALUE(LATMON_ERROR_UNRESOLVED, 10001);
