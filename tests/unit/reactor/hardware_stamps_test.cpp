// SPDX-License-Identifier: Apache-2.0
//
// What is said of interfaces that cannot, and what the answer of one that can would mean.
#include "reactor/hardware_stamps.hpp"

#include <doctest/doctest.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>

namespace latmon {

TEST_CASE("hardware stamps: loopback has none, and switching them on is refused by name") {
    const Result<HardwareStamps> ability = ask_hardware_stamps("lo");
    REQUIRE(ability.has_value());
    CHECK(!ability->has_rx);
    CHECK(!ability->has_tx);
    CHECK(ability->clock_index == -1);
    const Result<void> enabled = enable_hardware_stamps("lo");
    REQUIRE(!enabled.has_value());
    CHECK(enabled.error().code == ExitCode::configuration);
    CHECK(enabled.error().text.find("'lo' takes no time stamps in hardware") != std::string::npos);
    CHECK(enabled.error().text.find("ethtool -T lo") != std::string::npos);
}

TEST_CASE("hardware stamps: an interface that does not exist is told apart") {
    for (const std::string name : {"latmon-none", "a-name-that-is-too-long-for-linux"}) {
        const Result<HardwareStamps> ability = ask_hardware_stamps(name);
        REQUIRE(!ability.has_value());
        CHECK(ability.error().text.find("no interface '" + name + "'") != std::string::npos);
        CHECK(!enable_hardware_stamps(name).has_value());
    }
}

TEST_CASE("hardware stamps: a card that stamps PTP alone is not one that stamps probes") {
    ethtool_ts_info info{};
    info.so_timestamping =
        SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    info.tx_types = 1U << HWTSTAMP_TX_ON;
    info.rx_filters = 1U << HWTSTAMP_FILTER_PTP_V2_EVENT;
    info.phc_index = 3;
    CHECK(!hardware_stamps_in(info).has_rx);
    CHECK(hardware_stamps_in(info).has_tx);
    CHECK(hardware_stamps_in(info).clock_index == 3);
    info.rx_filters |= 1U << HWTSTAMP_FILTER_ALL;
    CHECK(hardware_stamps_in(info).has_rx);
    info.so_timestamping = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE;
    CHECK(!hardware_stamps_in(info).has_rx);
    CHECK(!hardware_stamps_in(info).has_tx);
}

}  // namespace latmon
