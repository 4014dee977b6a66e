// SPDX-License-Identifier: Apache-2.0
//
// Claims about the addresses of simulated targets and senders.
#include "loadgen/address_list.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

AddressBytes address_of(const char* text) {
    return parse_endpoint(text, 0).value().address;
}

TEST_CASE("address_list: begins behind the base and runs on over octets") {
    const Result<AddressList> list = AddressList::make("127.1.0.0", 300);
    REQUIRE(list);
    CHECK(list->size() == 300);
    CHECK_FALSE(list->is_ipv6());
    CHECK(to_string(list->at(0)) == "127.1.0.1");
    CHECK(to_string(list->at(254)) == "127.1.0.255");
    CHECK(to_string(list->at(255)) == "127.1.1.0");
    CHECK(to_string(list->at(299)) == "127.1.1.44");
}

TEST_CASE("address_list: contains its own addresses and neither neighbour") {
    const Result<AddressList> list = AddressList::make("127.1.0.0", 3);
    REQUIRE(list);
    CHECK(list->index_of(address_of("127.1.0.1")) == 0);
    CHECK(list->index_of(address_of("127.1.0.3")) == 2);
    for (const char* const other : {"127.1.0.0", "127.1.0.4", "0.0.0.0", "::127.1.0.1", "::1"}) {
        CHECK_FALSE(list->index_of(address_of(other)));
    }
}

TEST_CASE("address_list: IPv6 addresses run on within their network") {
    const Result<AddressList> list = AddressList::make("fd00:1::ffff", 2);
    REQUIRE(list);
    CHECK(list->is_ipv6());
    CHECK(to_string(list->at(0)) == "fd00:1::1:0");
    CHECK(to_string(list->at(1)) == "fd00:1::1:1");
    CHECK(list->index_of(list->at(1)) == 1);
    CHECK_FALSE(list->index_of(address_of("fd00:2::1:1")));
    CHECK(to_string(AddressList::make("::", 1)->at(0)) == "::1");
    CHECK_FALSE(AddressList::make("fd00::ffff:ffff:ffff:fffe", 2));
}

TEST_CASE("address_list: ends before loopback's broadcast address") {
    CHECK(AddressList::make("127.255.255.250", 4));
    CHECK_FALSE(AddressList::make("127.255.255.250", 5));
    CHECK_FALSE(AddressList::make("127.255.255.255", 1));
}

TEST_CASE("address_list: what is no unicast address or no count is a usage error") {
    for (const char* const base :
         {"", "localhost", "ff02::", "127.1.0", "127.1.0.256", "224.0.0.0"}) {
        const Result<AddressList> list = AddressList::make(base, 1);
        REQUIRE_FALSE(list);
        CHECK(list.error().code == ExitCode::usage);
    }
    CHECK_FALSE(AddressList::make("127.1.0.0", 0));
}

TEST_CASE("address_list: an error names the options that were given, and no others") {
    const AddressOptionNames names{.base = "--source", .count = "--sources"};
    const std::string no_address = AddressList::make("localhost", 1, names).error().text;
    CHECK(no_address.starts_with("--source localhost is no address"));
    const std::string no_room = AddressList::make("127.255.255.250", 5, names).error().text;
    CHECK(no_room.starts_with("--sources 5 does not fit behind --source 127.255.255.250"));
    CHECK(AddressList::make("x", 1).error().text.starts_with("--base x is no address"));
}

}  // namespace
}  // namespace latmon::loadgen
