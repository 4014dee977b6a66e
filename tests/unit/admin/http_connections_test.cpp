// SPDX-License-Identifier: Apache-2.0
//
// Claims about who has to go when there is no room.
#include "admin/http_connections.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <vector>

namespace latmon {
namespace {

using Phase = HttpConnection::Phase;

class FakeConnection final : public HttpConnection {
public:
    FakeConnection(HttpConnections& all, std::uint64_t from, Instant now)
        : HttpConnection(from, now), all_(all) {
        all.add(*this);
    }
    ~FakeConnection() override { FakeConnection::close(); }
    FakeConnection(const FakeConnection&) = delete;
    FakeConnection& operator=(const FakeConnection&) = delete;
    void close() noexcept override { all_.remove(*this); }

private:
    HttpConnections& all_;
};

struct Bench {
    AdminCounters counters;
    HttpConnections all{4, counters};
    std::vector<std::unique_ptr<FakeConnection>> made;

    FakeConnection& add(std::uint64_t source, std::int64_t since_ns) {
        made.push_back(std::make_unique<FakeConnection>(all, source, Instant{since_ns}));
        return *made.back();
    }
};

TEST_CASE("http_connections: nobody goes while there is room") {
    Bench bench;
    for (int index = 0; index < 4; ++index) {
        CHECK(bench.all.make_room(Instant{10}));
        bench.add(1, index);
    }
    CHECK(bench.all.count() == 4);
    CHECK(bench.counters.displaced.read() == 0);
    CHECK(bench.counters.connections_open.read() == 4);
}

TEST_CASE("http_connections: the one that waited longest goes, of who has the most") {
    Bench bench;
    FakeConnection& scraper = bench.add(7, 0);
    bench.add(1, 2);
    FakeConnection& oldest = bench.add(1, 1);
    bench.add(1, 3);
    CHECK(bench.all.make_room(Instant{10}));
    CHECK_FALSE(oldest.is_listed);
    CHECK(scraper.is_listed);
    CHECK(bench.all.count() == 3);
    CHECK(bench.counters.displaced.read() == 1);
    CHECK(bench.counters.connections_open.read() == 3);
}

TEST_CASE("http_connections: who is being answered stays, and if all are there is no room") {
    Bench bench;
    for (int index = 0; index < 4; ++index)
        bench.add(1, 0).phase = Phase::answering;
    CHECK_FALSE(bench.all.make_room(Instant{1'000'000'000'000}));
    CHECK(bench.all.count() == 4);
    bench.made[2]->phase = Phase::receiving;
    CHECK(bench.all.make_room(Instant{1}));
    CHECK_FALSE(bench.made[2]->is_listed);
}

TEST_CASE("http_connections: a reader that is slow goes, one that is quick does not") {
    Bench bench;
    for (int index = 0; index < 4; ++index)
        bench.add(1, 0).phase = Phase::sending;
    CHECK_FALSE(bench.all.make_room(Instant{limits::admin_slow_reader_ns}));
    CHECK(bench.all.make_room(Instant{limits::admin_slow_reader_ns + 1}));
}

TEST_CASE("http_connections: all can be closed at once, and twice is no more") {
    Bench bench;
    bench.add(1, 0);
    bench.add(2, 0);
    bench.all.close_all();
    CHECK(bench.all.count() == 0);
    bench.made[0]->close();
    CHECK(bench.counters.connections_open.read() == 0);
}

TEST_CASE("http_connections: a source is an IPv4 address or an IPv6 /64") {
    const auto source = [](const char* text) {
        return source_of(parse_endpoint(text, 0)->address);
    };
    CHECK(source("192.0.2.1") != source("192.0.2.2"));
    CHECK(source("2001:db8::1") == source("2001:db8::ffff:1"));
    CHECK(source("2001:db8::1") != source("2001:db8:0:1::1"));
}

}  // namespace
}  // namespace latmon
