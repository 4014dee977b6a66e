// SPDX-License-Identifier: Apache-2.0
//
// Claims about the addresses of simulated targets.
#include "loadgen/address_list.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

TEST_CASE("address_list: begins behind the base and runs on over octets") {
    const Result<AddressList> list = AddressList::make("127.1.0.0", 300);
    REQUIRE(list);
    CHECK(list->size() == 300);
    CHECK(address_text(list->at(0)) == "127.1.0.1");
    CHECK(address_text(list->at(254)) == "127.1.0.255");
    CHECK(address_text(list->at(255)) == "127.1.1.0");
    CHECK(address_text(list->at(299)) == "127.1.1.44");
}

TEST_CASE("address_list: contains its own addresses and neither neighbour") {
    const Result<AddressList> list = AddressList::make("127.1.0.0", 3);
    REQUIRE(list);
    CHECK_FALSE(list->contains(list->at(0) - 1));
    CHECK(list->contains(list->at(0)));
    CHECK(list->contains(list->at(2)));
    CHECK_FALSE(list->contains(list->at(2) + 1));
    CHECK_FALSE(list->contains(0));
    CHECK_FALSE(list->contains(0xffff'ffff));
}

TEST_CASE("address_list: ends before loopback's broadcast address") {
    CHECK(AddressList::make("127.255.255.250", 4));
    CHECK_FALSE(AddressList::make("127.255.255.250", 5));
    CHECK_FALSE(AddressList::make("127.255.255.255", 1));
}

TEST_CASE("address_list: what is no IPv4 address or no count is a usage error") {
    for (const char* const base : {"", "localhost", "::1", "127.1.0", "127.1.0.256"}) {
        const Result<AddressList> list = AddressList::make(base, 1);
        REQUIRE_FALSE(list);
        CHECK(list.error().code == ExitCode::usage);
    }
    CHECK_FALSE(AddressList::make("127.1.0.0", 0));
}

}  // namespace
}  // namespace latmon::loadgen
