// SPDX-License-Identifier: Apache-2.0
//
// What became of everything that reached the simulated targets. Each counter is written by one
// thread and may be read by another while it runs; the balance holds when the threads have ended.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace latmon::loadgen {

class Counter {
public:
    // Only the thread that owns it: no read-modify-write is needed.
    void add(std::uint64_t count) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

// Of one thread, over UDP. received = the sum of all from `answered` to `left_waiting`.
struct UdpCounts {
    Counter received;
    Counter answered;
    Counter lost_forward;  // On purpose.
    Counter lost_reverse;  // On purpose, after the sequence number was taken.
    Counter away;          // On purpose: the target was away.
    Counter line_full;     // On purpose: more than the simulated bit rate lets through.
    Counter bad;           // No request that we understand, or a reflection.
    Counter not_ours;      // Sent to an address that is no target's.
    Counter queue_full;    // Too many under way on the simulated link.
    Counter tx_errors;     // The kernel refused the reply.
    Counter left_waiting;  // Still under way when the time was over.
    Counter doubled;       // Replies that left a second time on purpose; not a packet's fate.
    Counter evictions;     // Probers whose sequence number was forgotten; not a packet's fate.
    Counter kernel_drops;  // Never received.
    Counter unstamped;     // Of `received`: the kernel does not say when; not a packet's fate.
};

// Over TCP; a message of latency-monitor's counts as a frame. frames_received = the sum of all from
// `frames_answered` to `frames_queue_full`.
struct TcpCounts {
    Counter accepted;
    Counter accept_errors;
    Counter not_ours;  // Connections to an address that is no target's.
    Counter away;      // Closed on purpose: the target was away.
    Counter prefaces;
    Counter closed_broken;  // Not our protocol, or out of step.
    Counter frames_received;
    Counter frames_answered;
    Counter frames_bad;
    Counter frames_other;       // Descriptors and farewells, which have no answer.
    Counter frames_unsent;      // The connection, or the time, was over before the reply was due.
    Counter frames_queue_full;  // Too many under way on the simulated link.
    Counter frames_unstamped;   // Requests: the kernel does not say when they came.
    Counter frames_sharing_stamp;  // Requests read with what came behind them, and with its stamp.
};

struct UdpCountName {
    std::string_view name;
    Counter UdpCounts::*member;
};
inline constexpr std::array<UdpCountName, 15> udp_count_names{
    {{"received_packets", &UdpCounts::received},
     {"answered_packets", &UdpCounts::answered},
     {"lost_forward_on_purpose_packets", &UdpCounts::lost_forward},
     {"lost_reverse_on_purpose_packets", &UdpCounts::lost_reverse},
     {"away_on_purpose_packets", &UdpCounts::away},
     {"line_full_on_purpose_packets", &UdpCounts::line_full},
     {"bad_packets", &UdpCounts::bad},
     {"not_ours_packets", &UdpCounts::not_ours},
     {"delay_queue_full_packets", &UdpCounts::queue_full},
     {"tx_error_packets", &UdpCounts::tx_errors},
     {"left_waiting_packets", &UdpCounts::left_waiting},
     {"doubled_on_purpose_packets", &UdpCounts::doubled},
     {"forgotten_probers", &UdpCounts::evictions},
     {"kernel_dropped_packets", &UdpCounts::kernel_drops},
     {"unstamped_packets", &UdpCounts::unstamped}}};

struct TcpCountName {
    std::string_view name;
    Counter TcpCounts::*member;
};
inline constexpr std::array<TcpCountName, 14> tcp_count_names{
    {{"tcp_accepted_connections", &TcpCounts::accepted},
     {"tcp_accept_errors", &TcpCounts::accept_errors},
     {"tcp_not_ours_connections", &TcpCounts::not_ours},
     {"tcp_away_on_purpose_connections", &TcpCounts::away},
     {"tcp_prefaces", &TcpCounts::prefaces},
     {"tcp_closed_broken_connections", &TcpCounts::closed_broken},
     {"tcp_received_frames", &TcpCounts::frames_received},
     {"tcp_answered_frames", &TcpCounts::frames_answered},
     {"tcp_bad_frames", &TcpCounts::frames_bad},
     {"tcp_other_frames", &TcpCounts::frames_other},
     {"tcp_unsent_frames", &TcpCounts::frames_unsent},
     {"tcp_delay_queue_full_frames", &TcpCounts::frames_queue_full},
     {"tcp_unstamped_frames", &TcpCounts::frames_unstamped},
     {"tcp_shared_stamp_frames", &TcpCounts::frames_sharing_stamp}}};

}  // namespace latmon::loadgen
