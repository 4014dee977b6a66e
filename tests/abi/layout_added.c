/* SPDX-License-Identifier: Apache-2.0
 *
 * What ABI 1 got after its first release: a plugin of that time does not know it, one of today
 * counts on it. Lines are added, never changed. Compiled, never run. */
#include <latmon/latmon.h>

#include <stddef.h>

#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define VALUE(constant, number) _Static_assert((constant) == (number), #constant " has changed")

AT(latmon_sample_t, tcp_ack_ns, 248);
AT(latmon_sample_t, reserved2, 252);
VALUE(LATMON_HAS_TCP_ACK, 1u << 27);
VALUE(LATMON_STATUS_LOST_LOCAL_TX, 11);
VALUE(LATMON_STATUS_LOST_LOCAL_RX, 12);
VALUE(LATMON_SERIES_PEER, 1u << 1);
AT(latmon_series_t, objective_ratio, 80);
AT(latmon_series_t, objective_rtt_ns, 88);

/* latmon.counters/1, whose layout its id fixes. */
AT(latmon_counters_t, counter, 0);
AT(latmon_counters_t, add, 8);
AT(latmon_counters_t, set, 16);
_Static_assert(sizeof(latmon_counters_t) == 24, "latmon.counters/1 has changed: make it /2");
VALUE(LATMON_COUNTERS_MAX, 32u);
_Static_assert(sizeof(LATMON_COUNTERS_1) == sizeof("latmon.counters/1"), "an id never changes");

/* latmon.reopen/1 */
AT(latmon_reopen_t, reopen, 0);
_Static_assert(sizeof(latmon_reopen_t) == 8, "latmon.reopen/1 has changed: make it /2");
_Static_assert(sizeof(LATMON_REOPEN_1) == sizeof("latmon.reopen/1"), "an id never changes");
VALUE(LATMON_KIND_COUNTER, 5);
VALUE(LATMON_KIND_GAUGE, 6);
VALUE(LATMON_KIND_TIMING, 7);

/* latmon.series/1 */
AT(latmon_series_events_t, added, 0);
AT(latmon_series_events_t, removed, 8);
_Static_assert(sizeof(latmon_series_events_t) == 16, "latmon.series/1 has changed: make it /2");
_Static_assert(sizeof(LATMON_SERIES_1) == sizeof("latmon.series/1"), "an id never changes");

/* latmon.windows/1: the window itself may grow at its end. */
_Static_assert(sizeof(latmon_bucket_t) == 8, "arrays of buckets stand in windows");
_Static_assert(sizeof(latmon_distribution_t) == 56, "distributions stand in windows");
_Static_assert(sizeof(latmon_variation_t) == 40, "variations stand in windows");
AT(latmon_window_t, struct_size, 0);
AT(latmon_window_t, series_id, 4);
AT(latmon_window_t, begin_ns, 8);
AT(latmon_window_t, length_ns, 16);
AT(latmon_window_t, valid, 24);
AT(latmon_window_t, percentile_valid, 28);
AT(latmon_window_t, samples, 32);
AT(latmon_window_t, by_status, 40);
AT(latmon_window_t, answered, 168);
AT(latmon_window_t, lost, 176);
AT(latmon_window_t, lost_local, 184);
AT(latmon_window_t, loss_ratio, 192);
AT(latmon_window_t, loss_bursts, 200);
AT(latmon_window_t, loss_burst_max, 208);
AT(latmon_window_t, by_blame, 216);
AT(latmon_window_t, tainted, 280);
AT(latmon_window_t, left_out, 288);
AT(latmon_window_t, by_owd_class, 296);
AT(latmon_window_t, rtt, 360);
AT(latmon_window_t, owd_fwd, 416);
AT(latmon_window_t, owd_rev, 472);
AT(latmon_window_t, rtt_ipdv, 528);
AT(latmon_window_t, owd_fwd_ipdv, 568);
AT(latmon_window_t, owd_rev_ipdv, 608);
AT(latmon_window_t, rtt_percentile_ns, 648);
AT(latmon_window_t, slowest_rtt_ns, 696);
AT(latmon_window_t, slowest_time_ns, 704);
AT(latmon_window_t, slowest_sequence, 712);
AT(latmon_window_t, last_sequence, 716);
AT(latmon_window_t, last_rtt_ns, 720);
AT(latmon_window_t, lateness_count, 728);
AT(latmon_window_t, lateness_sum_ns, 736);
AT(latmon_window_t, lateness_max_ns, 744);
AT(latmon_window_t, tcp_ack_count, 752);
AT(latmon_window_t, tcp_ack_sum_ns, 760);
AT(latmon_window_t, tcp_ack_min_ns, 768);
AT(latmon_window_t, tcp_ack_max_ns, 776);
AT(latmon_window_t, objective_ratio, 784);
AT(latmon_window_t, objective_rtt_ns, 792);
AT(latmon_window_t, objective_count, 800);
AT(latmon_window_t, objective_good, 808);
AT(latmon_window_t, value_sum, 816);
AT(latmon_window_t, value_min, 824);
AT(latmon_window_t, value_max, 832);
AT(latmon_window_t, value_last, 840);
AT(latmon_window_t, value_last_ns, 848);
AT(latmon_window_t, buckets, 856);
AT(latmon_window_t, bucket_count, 864);
AT(latmon_window_t, reserved, 868);
AT(latmon_window_t, lost_left_out, 872);
AT(latmon_windows_t, default_lengths, 0);
AT(latmon_windows_t, default_kinds, 4);
AT(latmon_windows_t, export_windows, 8);
_Static_assert(sizeof(latmon_windows_t) == 16, "latmon.windows/1 has changed: make it /2");
_Static_assert(sizeof(latmon_window_tools_t) == 8, "latmon.windows/1 has changed: make it /2");
_Static_assert(sizeof(LATMON_WINDOWS_1) == sizeof("latmon.windows/1"), "an id never changes");
VALUE(LATMON_WINDOW_1S, 1u << 0);
VALUE(LATMON_WINDOW_5S, 1u << 1);
VALUE(LATMON_WINDOW_60S, 1u << 2);
VALUE(LATMON_P9999, 5);

/* latmon.http/1 */
AT(latmon_http_t, route, 0);
AT(latmon_http_t, header, 8);
AT(latmon_http_t, query, 16);
AT(latmon_http_t, set_status, 24);
AT(latmon_http_t, add_header, 32);
AT(latmon_http_t, write, 40);
_Static_assert(sizeof(latmon_http_t) == 48, "latmon.http/1 has changed: make it /2");
_Static_assert(sizeof(LATMON_HTTP_1) == sizeof("latmon.http/1"), "an id never changes");
