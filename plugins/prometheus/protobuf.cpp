// SPDX-License-Identifier: Apache-2.0
//
// See protobuf.hpp. Field numbers: io/prometheus/client/metrics.proto of Prometheus' client_model.
// Native histograms as they are there: runs of buckets (spans), and of each bucket by how much its
// count differs from the one before.
#include "prometheus/protobuf.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

namespace latmon::plugins::prometheus {
namespace {

using protozero::pbf_writer;

namespace pair_field {
constexpr std::uint32_t name = 1, value = 2;
}
namespace metric_field {
constexpr std::uint32_t label = 1, gauge = 2, counter = 3, summary = 4, histogram = 7;
}
namespace family_field {
constexpr std::uint32_t name = 1, help = 2, type = 3, metric = 4;
}
namespace histogram_field {
constexpr std::uint32_t count = 1, sum = 2, bucket = 3, schema = 5, zero_threshold = 6,
                        zero_count = 7, negative_span = 9, negative_delta = 10, positive_span = 12,
                        positive_delta = 13, created = 15, exemplars = 16;
}
constexpr std::uint32_t counter_created = 3;
constexpr std::uint32_t summary_created = 4;

// The width of the bucket for 0 that client libraries choose, 2^-128. Not 0, because a histogram
// without values would not be known as a native one then.
constexpr double zero_threshold = 0x1p-128;

std::string timestamp(std::int64_t time_ns) {
    std::string message;
    pbf_writer writer(message);
    writer.add_int64(1, time_ns / 1'000'000'000);
    writer.add_int32(2, static_cast<std::int32_t>(time_ns % 1'000'000'000));
    return message;
}

void add_created(pbf_writer& writer, std::uint32_t field, const Row& row) {
    if (row.created_ns > 0) writer.add_message(field, timestamp(row.created_ns));
}

std::string exemplar_message(const Exemplar& exemplar) {
    std::string message = label_pairs(
        {{"seq", std::to_string(exemplar.sequence)}, {"time", utc_text(exemplar.time_ns)}});
    pbf_writer writer(message);
    writer.add_double(2, static_cast<double>(exemplar.value_ns) / 1e9);
    writer.add_message(3, timestamp(exemplar.time_ns));
    return message;
}

void add_span(pbf_writer& writer, std::uint32_t field, std::int32_t offset, std::uint32_t length) {
    std::string message;
    pbf_writer span(message);
    span.add_sint32(1, offset);
    span.add_uint32(2, length);
    writer.add_message(field, message);
}

void add_cells(pbf_writer& writer, const std::vector<Cell>& cells, std::uint32_t span_field,
               std::uint32_t delta_field) {
    std::vector<std::int64_t> deltas;
    std::int64_t before = 0;
    std::int32_t next = 0;  // Index behind the last span.
    for (std::size_t at = 0; at < cells.size();) {
        const std::int32_t first = cells[at].index;
        std::int32_t end = first;
        for (; at < cells.size() && cells[at].index == end; ++at, ++end) {
            const std::int64_t count = static_cast<std::int64_t>(cells[at].count);
            deltas.push_back(count - before);
            before = count;
        }
        add_span(writer, span_field, first - next, static_cast<std::uint32_t>(end - first));
        next = end;
    }
    if (!deltas.empty()) writer.add_packed_sint64(delta_field, deltas.begin(), deltas.end());
}

std::string bucket_message(std::uint64_t count, double bound, const Exemplar* exemplar) {
    std::string message;
    pbf_writer writer(message);
    writer.add_uint64(1, count);
    writer.add_double(2, bound);
    if (exemplar != nullptr) writer.add_message(3, exemplar_message(*exemplar));
    return message;
}

// Which `exemplars` is the newest; null: there are none. A server that knows exemplars of classic
// buckets alone wants no more than one that is new to it in a native histogram.
const Exemplar* newest(const std::vector<Exemplar>& exemplars) {
    const auto found = std::ranges::max_element(exemplars, {}, &Exemplar::time_ns);
    return found == exemplars.end() ? nullptr : &*found;
}

void add_classic(pbf_writer& writer, const Distribution& times, const Shape& shape,
                 const Exemplar* exemplar) {
    std::uint64_t below = 0;
    const std::size_t count = shape.bounds.size();
    for (std::size_t place = 0; place < count; ++place) {
        if (place < times.classic.size()) below += times.classic[place];
        const bool has = exemplar != nullptr && exemplar->place == place;
        writer.add_message(
            histogram_field::bucket,
            bucket_message(below, shape.bounds[place].seconds, has ? exemplar : nullptr));
    }
    // The last one goes without saying, but as the place of an exemplar.
    if (exemplar != nullptr && exemplar->place == count) {
        writer.add_message(
            histogram_field::bucket,
            bucket_message(times.count, std::numeric_limits<double>::infinity(), exemplar));
    }
}

}  // namespace

std::string label_pairs(const std::vector<std::pair<std::string, std::string>>& labels) {
    std::string out;
    pbf_writer writer(out);
    for (const auto& [name, value] : labels) {
        std::string pair;
        pbf_writer pair_writer(pair);
        pair_writer.add_string(pair_field::name, name);
        pair_writer.add_string(pair_field::value, well_formed(value));
        writer.add_message(metric_field::label, pair);
    }
    return out;
}

void ProtobufWriter::begin(const Family& family) {
    end_family();
    static constexpr std::array<std::int32_t, 4> types{0, 1, 2, 4};
    pbf_writer writer(family_);
    writer.add_string(family_field::name, family.name.data(), family.name.size());
    writer.add_string(family_field::help, family.help.data(), family.help.size());
    writer.add_enum(family_field::type, types[static_cast<std::size_t>(family.type)]);
    type_ = family.type;
    has_rows_ = false;
}

void ProtobufWriter::end_family() {
    if (has_rows_) {
        protozero::write_varint(std::back_inserter(out_), family_.size());
        out_ += family_;
        offer(true);
    }
    family_.clear();
    has_rows_ = false;
}

void ProtobufWriter::finish() {
    end_family();
    offer(true);
}

void ProtobufWriter::add_metric(const Row& row, std::uint32_t field, const std::string& message) {
    has_rows_ = true;
    std::vector<std::pair<std::string, std::string>> extra(row.extra.begin(), row.extra.end());
    std::string metric = row.labels.wire + label_pairs(extra);
    pbf_writer writer(metric);
    writer.add_message(field, message);
    pbf_writer family(family_);
    family.add_message(family_field::metric, metric);
}

void ProtobufWriter::number(const Row& row, const Value& value) {
    const bool is_counter = type_ == Type::counter;
    std::string message;
    pbf_writer writer(message);
    writer.add_double(1, double_of(value));
    if (is_counter) add_created(writer, counter_created, row);
    add_metric(row, is_counter ? metric_field::counter : metric_field::gauge, message);
}

void ProtobufWriter::summary(const Row& row, std::uint64_t count, const TimeSum& sum) {
    std::string message;
    pbf_writer writer(message);
    writer.add_uint64(1, count);
    writer.add_double(2, sum.seconds());
    add_created(writer, summary_created, row);
    add_metric(row, metric_field::summary, message);
}

void ProtobufWriter::histogram(const Row& row, const Distribution& times,
                               std::span<const Exemplar> exemplars) {
    const Shape& shape = format_.shape;
    std::vector<Exemplar> fresh;
    for (const Exemplar& exemplar : exemplars) {
        if (is_fresh(exemplar)) fresh.push_back(exemplar);
    }
    std::string message;
    pbf_writer writer(message);
    writer.add_uint64(histogram_field::count, times.count);
    // Native histograms may have a sum that falls; to classic ones it would be a restart.
    const bool has_sum = shape.has_native || times.negative_count == 0;
    writer.add_double(histogram_field::sum,
                      has_sum ? times.sum.seconds() : std::numeric_limits<double>::quiet_NaN());
    add_classic(writer, times, shape, newest(fresh));
    if (shape.has_native) {
        writer.add_sint32(histogram_field::schema, shape.schema);
        writer.add_double(histogram_field::zero_threshold, zero_threshold);
        writer.add_uint64(histogram_field::zero_count, times.zero_count);
        add_cells(writer, times.negative, histogram_field::negative_span,
                  histogram_field::negative_delta);
        add_cells(writer, times.positive, histogram_field::positive_span,
                  histogram_field::positive_delta);
        std::ranges::sort(fresh, {}, &Exemplar::time_ns);
        for (const Exemplar& exemplar : fresh) {
            writer.add_message(histogram_field::exemplars, exemplar_message(exemplar));
        }
    }
    add_created(writer, histogram_field::created, row);
    add_metric(row, metric_field::histogram, message);
}

}  // namespace latmon::plugins::prometheus
