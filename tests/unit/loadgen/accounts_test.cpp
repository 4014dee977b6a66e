// SPDX-License-Identifier: Apache-2.0
//
// Claims about what the accounts of simulated targets say against themselves.
#include "loadgen/reflect_accounts.hpp"

#include <doctest/doctest.h>
#include <string_view>

namespace latmon::loadgen {
namespace {

std::vector<std::string> reasons_of(const ReflectAccounts& accounts) {
    Trust trust(Duration::from_ms(1));
    doubt(accounts, trust);
    return trust.reasons();
}

// A run with nothing to doubt, over TCP.
void answer_frames(ReflectAccounts& accounts, std::uint64_t count) {
    accounts.tcp.frames_received.add(count);
    accounts.tcp.frames_answered.add(count);
    for (std::uint64_t frame = 0; frame < count; ++frame) {
        accounts.tcp_read_lateness.record(Duration::from_us(20));
    }
}

TEST_CASE("accounts: a run that read in time and answered everything is trusted") {
    ReflectAccounts accounts;
    answer_frames(accounts, 1'000);
    accounts.tcp.frames_sharing_stamp.add(1);  // One in a thousand.
    CHECK(reasons_of(accounts).empty());
}

TEST_CASE("accounts: late over TCP is late, however much was in time over UDP") {
    ReflectAccounts accounts;
    answer_frames(accounts, 1'000);
    for (int frame = 0; frame < 20; ++frame) {
        accounts.tcp_read_lateness.record(Duration::from_ms(30));
    }
    for (int packet = 0; packet < 100'000; ++packet) {
        accounts.udp_read_lateness.record(Duration{});
    }
    const std::vector<std::string> reasons = reasons_of(accounts);
    REQUIRE(reasons.size() == 1);
    CHECK(reasons[0].starts_with("tcp_own_read_lateness_p99_ns is "));
}

TEST_CASE("accounts: lateness that is not known is doubted") {
    ReflectAccounts accounts;
    answer_frames(accounts, 1'000);
    accounts.tcp.frames_unstamped.add(1);
    accounts.udp.unstamped.add(2);
    accounts.tcp.frames_sharing_stamp.add(2);
    const std::vector<std::string> reasons = reasons_of(accounts);
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0] == "own lateness over UDP is not known: unstamped_packets is 2");
    CHECK(reasons[1] == "own lateness over TCP is not known: tcp_unstamped_frames is 1");
    CHECK(reasons[2] == "tcp_shared_stamp_frames is 2 of 1000");
}

TEST_CASE("accounts: a full delay queue over TCP is in the sum, and doubted") {
    ReflectAccounts accounts;
    answer_frames(accounts, 10);
    accounts.tcp.frames_received.add(3);
    accounts.tcp.frames_queue_full.add(3);
    CHECK(is_balanced(accounts));
    const std::vector<std::string> reasons = reasons_of(accounts);
    REQUIRE(reasons.size() == 1);
    CHECK(reasons[0] == "tcp_delay_queue_full_frames is 3");
}

TEST_CASE("accounts: nothing answered, and accounts that do not balance, show nothing") {
    ReflectAccounts accounts;
    CHECK(reasons_of(accounts) == std::vector<std::string>{"nothing was answered"});
    answer_frames(accounts, 10);
    accounts.tcp.frames_received.add(1);
    CHECK(reasons_of(accounts) == std::vector<std::string>{"is_balanced is false"});
}

TEST_CASE("accounts: threads are added up, count by count") {
    UdpCounts udp;
    TcpCounts tcp;
    std::uint64_t value = 0;
    for (const UdpCountName& count : udp_count_names) {
        (udp.*count.member).add(++value);
    }
    for (const TcpCountName& count : tcp_count_names) {
        (tcp.*count.member).add(++value);
    }
    ReflectAccounts accounts;
    for (int thread = 0; thread < 2; ++thread) {
        add_counts(udp, accounts.udp);
        add_counts(tcp, accounts.tcp);
    }
    value = 0;
    for (const UdpCountName& count : udp_count_names) {
        CHECK((accounts.udp.*count.member).get() == 2 * ++value);
    }
    for (const TcpCountName& count : tcp_count_names) {
        CHECK((accounts.tcp.*count.member).get() == 2 * ++value);
    }
}

}  // namespace
}  // namespace latmon::loadgen
