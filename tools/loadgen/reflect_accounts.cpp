// SPDX-License-Identifier: Apache-2.0
//
// See reflect_accounts.hpp.
#include "loadgen/reflect_accounts.hpp"

namespace latmon::loadgen {
namespace {

bool is_udp_balanced(const UdpCounts& udp) noexcept {
    return udp.received.get() == udp.answered.get() + udp.lost_forward.get() +
                                     udp.lost_reverse.get() + udp.away.get() + udp.line_full.get() +
                                     udp.bad.get() + udp.not_ours.get() + udp.queue_full.get() +
                                     udp.tx_errors.get() + udp.left_waiting.get();
}

bool is_tcp_balanced(const TcpCounts& tcp) noexcept {
    return tcp.frames_received.get() == tcp.frames_answered.get() + tcp.frames_bad.get() +
                                            tcp.frames_other.get() + tcp.frames_unsent.get() +
                                            tcp.frames_queue_full.get();
}

void doubt_times(const ReflectAccounts& accounts, Trust& trust) {
    trust.doubt_lateness("own_read_lateness", accounts.udp_read_lateness);
    trust.doubt_lateness("tcp_own_read_lateness", accounts.tcp_read_lateness);
    trust.doubt_lateness("delayed_departure_lateness", accounts.departure_lateness);
    trust.doubt_count("own lateness over UDP is not known: unstamped_packets",
                      accounts.udp.unstamped.get());
    trust.doubt_count("own lateness over TCP is not known: tcp_unstamped_frames",
                      accounts.tcp.frames_unstamped.get());
    trust.doubt_share("tcp_shared_stamp_frames", accounts.tcp.frames_sharing_stamp.get(),
                      accounts.tcp.frames_received.get());
}

}  // namespace

void add_counts(const UdpCounts& counts, UdpCounts& to) noexcept {
    for (const UdpCountName& count : udp_count_names) {
        (to.*count.member).add((counts.*count.member).get());
    }
}

void add_counts(const TcpCounts& counts, TcpCounts& to) noexcept {
    for (const TcpCountName& count : tcp_count_names) {
        (to.*count.member).add((counts.*count.member).get());
    }
}

bool is_balanced(const ReflectAccounts& accounts) noexcept {
    return is_udp_balanced(accounts.udp) && is_tcp_balanced(accounts.tcp);
}

std::uint64_t answered(const ReflectAccounts& accounts) noexcept {
    return accounts.udp.answered.get() + accounts.tcp.frames_answered.get();
}

void doubt(const ReflectAccounts& accounts, Trust& trust) {
    doubt_times(accounts, trust);
    trust.doubt_count("kernel_dropped_packets", accounts.udp.kernel_drops.get());
    trust.doubt_count("delay_queue_full_packets", accounts.udp.queue_full.get());
    trust.doubt_count("tx_error_packets", accounts.udp.tx_errors.get());
    trust.doubt_count("forgotten_probers", accounts.udp.evictions.get());
    trust.doubt_count("tcp_delay_queue_full_frames", accounts.tcp.frames_queue_full.get());
    trust.doubt_count("tcp_accept_errors", accounts.tcp.accept_errors.get());
    trust.doubt_flow(is_balanced(accounts), answered(accounts));
}

}  // namespace latmon::loadgen
