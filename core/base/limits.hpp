// SPDX-License-Identifier: Apache-2.0
//
// Every bound of latmon, with its unit and its reason, and the relations between them. A number
// that limits anything stands here and nowhere else, so that a reader can see what the daemon can
// hold.
#pragma once

#include <cstddef>
#include <cstdint>

namespace latmon::limits {

// -- Machine ----------------------------------------------------------------------------------
// x86-64 and most aarch64; two threads that write within one line slow each other down.
inline constexpr std::size_t cache_line_bytes = 64;

// One thread per core; more than this many cores is beyond any host this was tried on.
inline constexpr std::uint32_t cores_max = 256;

// -- Packets ----------------------------------------------------------------------------------
// STAMP base packet without authentication, RFC 8762 section 4.2.1.
inline constexpr std::uint32_t stamp_base_bytes = 44;
// TWAMP-Light sender packet without padding, RFC 5357 section 4.1.2: the least we look at.
inline constexpr std::uint32_t stamp_request_bytes_min = 14;
// The least reply that holds all four timestamps (octets 0-37).
inline constexpr std::uint32_t stamp_reply_bytes_min = 38;
// The most a UDP datagram carries over IPv4: 65,535 - 20 (IP) - 8 (UDP).
inline constexpr std::uint32_t probe_bytes_max = 65'507;

// -- Schedule ---------------------------------------------------------------------------------
// 0.1 ms: ten thousand probes a second for one target. Below it a host measures its own scheduler.
inline constexpr std::int64_t interval_ns_min = 100'000;
inline constexpr std::int64_t interval_ns_max = 86'400'000'000'000;  // One day.
inline constexpr std::int64_t timeout_ns_min = 1'000'000;
inline constexpr std::int64_t timeout_ns_max = 60'000'000'000;
inline constexpr std::uint32_t targets_per_core_max = 49'000;
// Three per probe (next send, oldest expiry, a TCP probe's state), one per accepted connection, and
// a handful of the core's own. 16 octets each, touched as they are used.
inline constexpr std::uint32_t deadlines_per_core_max = 150'000;

// The ancestor numbers its packets from 0 to 100 and again. With more on their way one number would
// stand for two of them.
inline constexpr std::uint32_t ancestor_in_flight_max = 100;

// Sequence numbers remembered per target: those in flight, and as many again behind them so that a
// late reply and a duplicate can still be told apart. 2^17 x 96 octets = 12 MiB for the worst
// target.
inline constexpr std::uint32_t in_flight_slots_min = 8;
inline constexpr std::uint32_t in_flight_slots_max = 131'072;
// Handshakes under way for one target. A dead target at a short interval would else take every fd.
inline constexpr std::uint32_t connects_in_flight_max = 1'024;

// -- Lateness and blame -----------------------------------------------------------------------
// A send this late, or a loop turn this long, is marked on the sample. An undisturbed host stays
// below 100 us even when it sleeps in a virtual machine (20..80 us seen).
inline constexpr std::int64_t sent_late_ns = 200'000;
inline constexpr std::int64_t loop_stall_ns = 1'000'000;
// From the kernel's receipt of a reply until we read it; as for sends.
inline constexpr std::int64_t received_late_ns = 200'000;
// A core with no more than this is there for the shortest path, one with more for its CPU.
inline constexpr std::uint32_t lone_probes_per_core = 64;
// How long a reply that the kernel has stamped may lie, so that others are read with it. Well
// within the above, with what a wake-up may be late.
inline constexpr std::int64_t reply_patience_ns = 50'000;
// A wall clock that moved by more than this against the steady one, beyond what a slew explains,
// was set: its readings from before and after cannot be compared, and peers are told. Two readings
// on two CPUs may differ by that much. phc2sys steps by 20 us, chronyc by whatever it is told.
inline constexpr std::int64_t wall_moved_ns = 1'000;
// A packet that waited for longer than this in our own socket was stamped by another clock than the
// one that reads it now.
inline constexpr std::int64_t socket_dwell_ns_max = 10'000'000'000;
// What had come before the loop noticed that the clock was set has been read so long afterwards.
inline constexpr std::int64_t stale_stamps_ns = 1'000'000'000;
// A transmit stamp comes within microseconds of the send, a card's within a millisecond or two; an
// exchange that has been answered waits for it so long.
inline constexpr std::int64_t tx_stamp_wait_ns = 10'000'000;
// A loss is told once a later answer says where it fell: so many intervals after its timeout at
// most, within these bounds.
inline constexpr std::int64_t loss_wait_intervals = 3;
inline constexpr std::int64_t loss_wait_ns_min = 100'000'000;
inline constexpr std::int64_t loss_wait_ns_max = 5'000'000'000;
// CLOCK_REALTIME may run at most 500 ppm away from RAW under adjtime; a change beyond this within
// one loop turn is a step, which voids what was surveyed and is blamed for. What is less than a
// step, and more than wall_moved_ns, is a slip.
inline constexpr std::int64_t clock_step_ns = 1'000'000;

// -- Ring -------------------------------------------------------------------------------------
inline constexpr std::uint32_t submission_entries = 1'024;
inline constexpr std::uint32_t completion_entries = 16'384;
// Buffers of the receive ring: as many datagrams as may arrive between two turns of the loop. When
// they run out the kernel keeps the rest in the socket's own buffer; nothing is lost.
inline constexpr std::uint32_t receive_buffers = 512;
// recvmsg header (16) + address + control messages + the largest datagram, in whole pages.
// Only the pages that a datagram fills are ever touched.
inline constexpr std::uint32_t receive_buffer_bytes = 17 * 4'096;
inline constexpr std::uint32_t receive_control_bytes = 256;
// A sockaddr_in6 takes 28; control messages follow it and want 8-octet alignment.
inline constexpr std::uint32_t receive_name_bytes = 32;
static_assert(receive_buffer_bytes >=
              16 + receive_name_bytes + receive_control_bytes + probe_bytes_max);
// Completions looked at between two looks at the clock.
inline constexpr std::uint32_t completion_batch = 256;

// -- Reflector -------------------------------------------------------
inline constexpr std::uint32_t sessions_per_core = 16'384;  // 64 octets each.
inline constexpr std::uint32_t rate_slots_per_core = 65'536;
// What the limit over all sources lets through at once: a core that was away for this long finds so
// much waiting, and it is nobody's excess.
inline constexpr std::int64_t rate_total_burst_ns = 100'000'000;
// RFC 5357 section 4.2 REFWAIT: a session that has been silent for so long is forgotten.
inline constexpr std::int64_t session_idle_ns = 900'000'000'000;
// A session may say that it is somebody else now only so often.
inline constexpr std::int64_t peer_change_interval_ns = 60'000'000'000;
// Peers that say who they are, each with a series of its own that is never taken back: many more
// than a node has, and an end for who makes names up. 1,920 octets each, touched as they are used.
inline constexpr std::uint32_t peer_series_per_core = 4'096;
inline constexpr std::uint32_t tcp_sessions_per_core = 1'024;
static_assert(3 * targets_per_core_max + tcp_sessions_per_core + 100 <= deadlines_per_core_max);
// One host may probe with several traffic classes and sizes; more looks like an attack. Loopback
// and targets are exempt.
inline constexpr std::uint32_t tcp_sessions_per_address = 64;
// Silence after which a connection is closed.
inline constexpr std::int64_t tcp_idle_ns = 900'000'000'000;
// A frame of the largest size and its header, in whole pages; touched only as far as it is used.
inline constexpr std::uint32_t tcp_buffer_bytes = 17 * 4'096;
inline constexpr std::int64_t tcp_preface_ns = 5'000'000'000;  // Slow-loris bound.

// -- Queues -----------------------------------------------------------------------------------
// Per core and exporter. 8,192 x 256 octets = 2 MiB, 40 ms at 200,000 samples a second.
inline constexpr std::uint32_t queue_samples_default = 8'192;
inline constexpr std::uint32_t queue_samples_min = 64;
inline constexpr std::uint32_t queue_samples_max = 1U << 20U;
// Windows travel in blocks; most of them take two or three. Of a queue of windows, per exporter.
inline constexpr std::size_t window_block_bytes = 256;
inline constexpr std::uint32_t window_queue_blocks_min = 4'096;
inline constexpr std::uint32_t window_queue_blocks_max = 1U << 18U;
inline constexpr std::uint32_t export_batch_windows = 256;
inline constexpr std::uint32_t exporters_max = 32;
// While a configuration is loaded, each may be there twice; and one that is latmon's own.
inline constexpr std::uint32_t consumers_max = 2 * exporters_max + 1;
inline constexpr std::uint32_t export_batch_samples = 1'024;
// Per core: names of peers on their way to the log, which is written once a second.
inline constexpr std::uint32_t queue_peers = 256;

// Network interfaces that probes leave through, told of one by one; what leaves through more is
// probed all the same.
inline constexpr std::size_t interfaces_max = 64;

// -- Statistics -------------------------------------------------------------------------------
// Series that nobody defined, but that send samples: peers', and applications'.
inline constexpr std::uint32_t stats_undefined_series_max = 16'384;
// Series that have ended and must not come back by a sample that was on its way, 40 octets each.
inline constexpr std::uint32_t stats_ended_series_max = 65'536;
// The wall clock was set back if windows begin so much later than it says; what reads it now, and
// what did when samples were made, are no further apart.
inline constexpr std::int64_t stats_clock_back_ns = 10'000'000'000;

// -- Admin listener ---------------------------------------------------------------------------
// Connections at once. A scraper needs one, a person a few; who wants more than there are gets the
// place of the one that has waited longest.
inline constexpr std::uint32_t admin_connections_default = 64;
inline constexpr std::uint32_t admin_connections_max = 4'096;
// Prometheus sends half a KiB of header; a cookie is 4 KiB at most.
inline constexpr std::uint32_t admin_header_bytes = 16 * 1'024;
// No request of ours has a body; one that comes is read so far, and not used.
inline constexpr std::uint32_t admin_body_bytes = 64 * 1'024;
// A key or a value of a query, and how many of them; a path.
inline constexpr std::uint32_t admin_query_items_max = 64;
inline constexpr std::uint32_t admin_path_bytes = 1'024;
// From the first octet of a TLS handshake, a header or a body to its last.
inline constexpr std::int64_t admin_request_ns = 5'000'000'000;
// Between two requests of a connection. Prometheus scrapes once a minute at the least, as a rule.
inline constexpr std::int64_t admin_idle_ns = 65'000'000'000;
// From the first octet of an answer to its last.
inline constexpr std::int64_t admin_answer_ns = 30'000'000'000;
// Whoever does not take an answer for so long may lose his place to a newcomer.
inline constexpr std::int64_t admin_slow_reader_ns = 2'000'000'000;
// What is still sent by somebody whom we have told that we hear no more.
inline constexpr std::int64_t admin_linger_ns = 1'000'000'000;
inline constexpr std::uint32_t admin_linger_bytes = 1'024 * 1'024;
// For making an answer. Longer than any scraper waits.
inline constexpr std::int64_t admin_handler_ns = 30'000'000'000;
// Then the client connects anew, perhaps to another node behind the same name.
inline constexpr std::uint32_t admin_requests_per_connection = 10'000;
// All answers that are on their way, together: a metrics page of 5,000 series takes some 10 MB.
inline constexpr std::uint64_t admin_answers_bytes = std::uint64_t{128} * 1'024 * 1'024;
// Threads that make answers, and requests that wait for one of them.
inline constexpr std::uint32_t admin_handlers = 2;
inline constexpr std::uint32_t admin_requests_waiting = 32;
// Pages of exporters: each has one or two.
inline constexpr std::uint32_t admin_routes_max = 256;
// A secret is a line; a chain of certificates some tens of KiB.
inline constexpr std::uint32_t admin_secret_bytes = 1'024;
inline constexpr std::uint32_t admin_pem_bytes = 1'024 * 1'024;
// Runs of /probe at once; each has a ring of its own. Probes in one run.
inline constexpr std::uint32_t admin_probes_default = 8;
inline constexpr std::uint32_t admin_probes_max = 64;
inline constexpr std::uint32_t admin_probe_count_max = 1'000;
// blackbox_exporter's: what a scraper is allowed that does not say how long it waits, and what is
// kept back for the way.
inline constexpr std::int64_t admin_probe_ns = 120'000'000'000;
inline constexpr std::int64_t admin_probe_reserve_ns = 500'000'000;
// Series in one answer of /api/v1/series, by default and at most.
inline constexpr std::uint32_t admin_series_default = 1'000;
inline constexpr std::uint32_t admin_series_max = 100'000;

// -- Life cycle -------------------------------------------------------------------------------
// A ring's teardown is asynchronous: its sockets keep their ports for 30..50 ms after the process
// is gone (Linux 6.18, seen), so binding is tried again for this long before it is an error.
inline constexpr std::int64_t bind_retry_ns = 2'000'000'000;
inline constexpr std::int64_t node_samples_interval_ns = 10'000'000'000;

}  // namespace latmon::limits
