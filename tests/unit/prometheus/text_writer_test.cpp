// SPDX-License-Identifier: Apache-2.0
//
// Both text formats, octet for octet.
#include "prometheus/text_writer.hpp"

#include "prometheus/protobuf.hpp"

#include "unit/prometheus/scrapes.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::prometheus {
namespace {

const SeriesLabels labels{.text = "target=\"b\"", .wire = {}};

template <typename Write>
std::string written(Dialect dialect, const Format& format, Write&& write) {
    StringSink sink;
    TextWriter writer(format, sink, dialect);
    write(writer);
    writer.finish();
    return sink.text;
}

Distribution two_values(const Shape& shape) {
    driver::WindowMaker maker;
    maker.take(probe(0, 90));
    maker.take(probe(0, 150));
    const latmon_window_t& window = *maker.windows(0, second_ns).front();
    Distribution times;
    times.add(window, window.rtt, shape);
    return times;
}

const Format format{.shape = {.bounds = Bounds({100, 1'000'000'000})},
                    .now_ns = start_ns + 10 * second_ns};
const Exemplar slow{.value_ns = 150, .time_ns = start_ns + 5, .sequence = 42, .place = 1};

void write_all(Writer& writer) {
    const Row row{.labels = labels, .created_ns = start_ns};
    writer.begin({.name = "x_total", .type = Type::counter, .help = "Of x."});
    writer.number(row, std::uint64_t{5});
    writer.begin({.name = "nobody_seconds", .type = Type::gauge, .help = "Nothing."});
    writer.begin({.name = "y_seconds", .type = Type::histogram, .help = "Of y."});
    writer.histogram(row, two_values(format.shape), std::span(&slow, 1));
}

TEST_CASE("text: the format 0.0.4 as it is") {
    CHECK(written(Dialect::prometheus, format, write_all) ==
          "# HELP x_total Of x.\n# TYPE x_total counter\n"
          "x_total{target=\"b\"} 5\n"
          "# HELP y_seconds Of y.\n# TYPE y_seconds histogram\n"
          "y_seconds_bucket{target=\"b\",le=\"1e-07\"} 1\n"
          "y_seconds_bucket{target=\"b\",le=\"1\"} 2\n"
          "y_seconds_bucket{target=\"b\",le=\"+Inf\"} 2\n"
          "y_seconds_sum{target=\"b\"} 0.00000024\n"
          "y_seconds_count{target=\"b\"} 2\n");
}

TEST_CASE("text: OpenMetrics has units, exemplars, times of birth and an end") {
    CHECK(written(Dialect::open_metrics, format, write_all) ==
          "# TYPE x counter\n# HELP x Of x.\n"
          "x_total{target=\"b\"} 5\n"
          "x_created{target=\"b\"} 1700000040\n"
          "# TYPE y_seconds histogram\n# UNIT y_seconds seconds\n# HELP y_seconds Of y.\n"
          "y_seconds_bucket{target=\"b\",le=\"1e-07\"} 1\n"
          "y_seconds_bucket{target=\"b\",le=\"1.0\"} 2 # {seq=\"42\","
          "time=\"2023-11-14T22:14:00.000000005Z\"} 0.00000015 1700000040.000000005\n"
          "y_seconds_bucket{target=\"b\",le=\"+Inf\"} 2\n"
          "y_seconds_sum{target=\"b\"} 0.00000024\n"
          "y_seconds_count{target=\"b\"} 2\n"
          "y_seconds_created{target=\"b\"} 1700000040\n"
          "# EOF\n");
}

TEST_CASE("text: what was switched off, or is old, is not written") {
    Format plain = format;
    plain.has_created = false;
    plain.has_exemplars = false;
    const std::string text = written(Dialect::open_metrics, plain, write_all);
    CHECK(text.find("_created") == std::string::npos);
    CHECK(text.find("seq=") == std::string::npos);
    Format later = format;
    later.now_ns = start_ns + 301 * second_ns;
    CHECK(written(Dialect::open_metrics, later, write_all).find("seq=") == std::string::npos);
}

TEST_CASE("text: a sum that may have fallen is left out, and its count is in the last bucket") {
    Distribution times = two_values(format.shape);
    times.negative_count = 1;
    const std::string text = written(Dialect::prometheus, format, [&](Writer& writer) {
        writer.begin({.name = "y_seconds", .type = Type::histogram, .help = "Of y."});
        writer.histogram({.labels = labels}, times, {});
    });
    CHECK(text.find("_sum") == std::string::npos);
    CHECK(text.find("_count") == std::string::npos);
    CHECK(text.find("y_seconds_bucket{target=\"b\",le=\"+Inf\"} 2") != std::string::npos);
}

TEST_CASE("text: an exemplar's labels are short enough for OpenMetrics") {
    const std::string text = "seq" + std::to_string(~0U) + "time" + utc_text(start_ns);
    CHECK(text.size() <= 128);
    CHECK(utc_text(-1) == "1969-12-31T23:59:59.999999999Z");
}

}  // namespace
}  // namespace latmon::plugins::prometheus
