// SPDX-License-Identifier: Apache-2.0
//
// The line of the log that names a peer.
#include "daemon/peers.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

PeerDescriptor peer(const char* address, std::initializer_list<const char*> tags) {
    PeerDescriptor result;
    result.source = *parse_endpoint(address, 40'000);
    result.ssid = 3;
    CHECK(result.descriptor.try_set_name("web1"));
    for (const char* const tag : tags)
        CHECK(result.descriptor.try_add_tag(tag));
    return result;
}

}  // namespace

TEST_CASE("peers: a line says who it is, from where and in which session") {
    CHECK(describe(peer("10.0.0.1", {"site:home", "rack:2"})) ==
          "peer 10.0.0.1:40000 session 3 is \"web1\" [site:home, rack:2]");
    CHECK(describe(peer("fd00::1", {})) == "peer [fd00::1]:40000 session 3 is \"web1\"");
}

TEST_CASE("peers: what the cores accepted is taken out of the queue of each") {
    Peers peers(2);
    for (std::uint32_t index = 0; index < limits::queue_peers; ++index) {
        CHECK(peers.queue(1).try_push(peer("10.0.0.1", {})));
    }
    CHECK_FALSE(peers.queue(1).try_push(peer("10.0.0.1", {})));
    CHECK(peers.queue(0).try_push(peer("10.0.0.2", {})));
    peers.log_new();
    CHECK(peers.queue(0).size() == 0);
    CHECK(peers.queue(1).size() == 0);
}

}  // namespace latmon
