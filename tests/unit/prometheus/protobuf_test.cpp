// SPDX-License-Identifier: Apache-2.0
//
// The protobuf exposition, read back field by field.
#include "prometheus/protobuf.hpp"

#include "unit/prometheus/scrapes.hpp"

#include <doctest/doctest.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/varint.hpp>

#include <cmath>
#include <map>

namespace latmon::plugins::prometheus {
namespace {

using protozero::pbf_reader;

// The families of a delimited stream, by name.
std::map<std::string, std::string> families_of(const std::string& stream) {
    std::map<std::string, std::string> families;
    const char* at = stream.data();
    const char* const end = at + stream.size();
    while (at < end) {
        const std::uint64_t length = protozero::decode_varint(&at, end);
        std::string message(at, length);
        at += length;
        pbf_reader reader(message);
        REQUIRE(reader.next(1));
        const std::string name = reader.get_string();
        families[name] = std::move(message);
    }
    CHECK(at == end);
    return families;
}

struct Native {
    int schema = -99;
    std::uint64_t count = 0;
    double sum = 0;
    std::map<std::int32_t, std::int64_t> positive;  // By index.
    std::map<std::int32_t, std::int64_t> negative;
    std::vector<std::pair<double, std::uint64_t>> classic;
    int classic_exemplars = 0;
    int exemplars = 0;
    std::int64_t created_s = 0;
};

std::map<std::int32_t, std::int64_t> cells_of(
    const std::vector<std::pair<std::int32_t, std::uint32_t>>& spans,
    const std::vector<std::int64_t>& deltas) {
    std::map<std::int32_t, std::int64_t> cells;
    std::int32_t index = 0;
    std::int64_t count = 0;
    std::size_t at = 0;
    for (const auto& [offset, length] : spans) {
        index += offset;
        for (std::uint32_t step = 0; step < length; ++step) {
            count += deltas.at(at++);
            cells[index++] = count;
        }
    }
    CHECK(at == deltas.size());
    return cells;
}

Native native_of(pbf_reader histogram) {
    Native native;
    std::vector<std::pair<std::int32_t, std::uint32_t>> spans[2];
    std::vector<std::int64_t> deltas[2];
    while (histogram.next()) {
        const std::uint32_t tag = histogram.tag();
        if (tag == 1) {
            native.count = histogram.get_uint64();
        } else if (tag == 2) {
            native.sum = histogram.get_double();
        } else if (tag == 3) {
            pbf_reader bucket = histogram.get_message();
            std::uint64_t count = 0;
            while (bucket.next()) {
                if (bucket.tag() == 1)
                    count = bucket.get_uint64();
                else if (bucket.tag() == 2)
                    native.classic.emplace_back(bucket.get_double(), count);
                else {
                    ++native.classic_exemplars;
                    bucket.skip();
                }
            }
        } else if (tag == 5) {
            native.schema = histogram.get_sint32();
        } else if (tag == 9 || tag == 12) {
            pbf_reader span = histogram.get_message();
            std::int32_t offset = 0;
            while (span.next()) {
                if (span.tag() == 1)
                    offset = span.get_sint32();
                else
                    spans[tag == 12 ? 0 : 1].emplace_back(offset, span.get_uint32());
            }
        } else if (tag == 10 || tag == 13) {
            for (const std::int64_t delta : histogram.get_packed_sint64()) {
                deltas[tag == 13 ? 0 : 1].push_back(delta);
            }
        } else if (tag == 15) {
            pbf_reader created = histogram.get_message();
            CHECK(created.next(1));
            native.created_s = created.get_int64();
        } else {
            native.exemplars += tag == 16 ? 1 : 0;
            histogram.skip();
        }
    }
    native.positive = cells_of(spans[0], deltas[0]);
    native.negative = cells_of(spans[1], deltas[1]);
    return native;
}

Native only_histogram(const std::string& family) {
    pbf_reader reader(family);
    REQUIRE(reader.next(4));
    pbf_reader metric = reader.get_message();
    REQUIRE(metric.next(7));
    return native_of(metric.get_message());
}

std::string stream_of(const Format& format, const Distribution& times,
                      std::span<const Exemplar> exemplars = {}) {
    StringSink sink;
    ProtobufWriter writer(format, sink);
    const SeriesLabels labels{.text = {}, .wire = label_pairs({{"target", "b\"\xFF"}})};
    writer.begin({.name = "nothing_total", .type = Type::counter, .help = "Not there."});
    writer.begin({.name = "y_seconds", .type = Type::histogram, .help = "Of y."});
    writer.histogram({.labels = labels, .created_ns = start_ns}, times, exemplars);
    writer.begin({.name = "x_total", .type = Type::counter, .help = "Of x."});
    writer.number({.labels = labels, .created_ns = start_ns}, std::uint64_t{5});
    writer.finish();
    return sink.text;
}

const Format format{.shape = {.bounds = Bounds({100'000, 1'000'000})}, .now_ns = start_ns};

Distribution some_values(const Shape& shape, std::map<std::int32_t, std::int64_t>& expected) {
    driver::WindowMaker maker;
    for (std::int64_t value = -3'000; value < 2'000'000; value += 997) {
        maker.take(probe(0, value));
        if (value > 0) ++expected[downscaled(driver::bucket_index(value), shape.schema)];
    }
    const latmon_window_t& window = *maker.windows(0, second_ns).front();
    Distribution times;
    times.add(window, window.rtt, shape);
    return times;
}

TEST_CASE("protobuf: a native histogram is read back as it was") {
    std::map<std::int32_t, std::int64_t> expected;
    const Distribution times = some_values(format.shape, expected);
    const auto families = families_of(stream_of(format, times));
    CHECK(families.size() == 2);
    const Native native = only_histogram(families.at("y_seconds"));
    CHECK(native.schema == 5);
    CHECK(native.count == times.count);
    CHECK(native.sum == doctest::Approx(times.sum.seconds()));
    CHECK(native.positive == expected);
    CHECK(native.negative.size() == 4);
    CHECK(native.classic.size() == 2);
    CHECK(native.classic.front().first == 0.0001);
    CHECK(native.created_s == start_ns / second_ns);
}

TEST_CASE("protobuf: a histogram without values is a native one all the same") {
    const std::string family = families_of(stream_of(format, {})).at("y_seconds");
    const Native native = only_histogram(family);
    CHECK(native.schema == 5);
    CHECK(native.count == 0);
    CHECK(native.positive.empty());
    // The width of the bucket for 0 is what says so.
    pbf_reader reader(family);
    REQUIRE(reader.next(4));
    pbf_reader metric = reader.get_message();
    REQUIRE(metric.next(7));
    pbf_reader histogram = metric.get_message();
    REQUIRE(histogram.next(6));
    CHECK(histogram.get_double() > 0);
}

TEST_CASE("protobuf: classic buckets have one exemplar, the newest; native ones have all") {
    const Exemplar exemplars[] = {
        {.value_ns = 50'000, .time_ns = start_ns - 3, .sequence = 1, .place = 0},
        {.value_ns = 500'000, .time_ns = start_ns - 2, .sequence = 2, .place = 1},
        {.value_ns = 5'000'000, .time_ns = start_ns - 400 * second_ns, .sequence = 3, .place = 2}};
    std::map<std::int32_t, std::int64_t> expected;
    const Distribution times = some_values(format.shape, expected);
    const Native native =
        only_histogram(families_of(stream_of(format, times, exemplars)).at("y_seconds"));
    CHECK(native.classic_exemplars == 1);
    CHECK(native.exemplars == 2);
    CHECK(native.classic.size() == 2);
}

TEST_CASE("protobuf: an exemplar above all bounds brings the last bucket with it") {
    const Exemplar exemplars[] = {
        {.value_ns = 5'000'000, .time_ns = start_ns - 1, .sequence = 3, .place = 2}};
    std::map<std::int32_t, std::int64_t> expected;
    const Distribution times = some_values(format.shape, expected);
    const Native native =
        only_histogram(families_of(stream_of(format, times, exemplars)).at("y_seconds"));
    REQUIRE(native.classic.size() == 3);
    CHECK(std::isinf(native.classic.back().first));
    CHECK(native.classic.back().second == times.count);
}

TEST_CASE("protobuf: without native histograms a sum that may have fallen is no number") {
    Format classic = format;
    classic.shape.has_native = false;
    std::map<std::int32_t, std::int64_t> expected;
    const Distribution times = some_values(classic.shape, expected);
    const Native native = only_histogram(families_of(stream_of(classic, times)).at("y_seconds"));
    CHECK(native.schema == -99);
    CHECK(std::isnan(native.sum));
    CHECK(native.positive.empty());
}

TEST_CASE("protobuf: labels are UTF-8, and counters have their value") {
    const std::string family = families_of(stream_of(format, {})).at("x_total");
    pbf_reader reader(family);
    REQUIRE(reader.next(4));
    pbf_reader metric = reader.get_message();
    REQUIRE(metric.next());
    pbf_reader label = metric.get_message();
    REQUIRE(label.next(1));
    CHECK(label.get_string() == "target");
    REQUIRE(label.next(2));
    CHECK(label.get_string() == "b\"\xEF\xBF\xBD");
    REQUIRE(metric.next(3));
    pbf_reader counter = metric.get_message();
    REQUIRE(counter.next(1));
    CHECK(counter.get_double() == 5);
}

}  // namespace
}  // namespace latmon::plugins::prometheus
