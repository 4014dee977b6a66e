// SPDX-License-Identifier: Apache-2.0
//
// See text_writer.hpp. The grammars: Prometheus' exposition formats, and OpenMetrics 1.0.0.
#include "prometheus/text_writer.hpp"

#include "support/decimal.hpp"

#include <algorithm>

namespace latmon::plugins::prometheus {
namespace {

constexpr std::string_view type_words[] = {"counter", "gauge", "summary", "histogram"};
constexpr std::string_view units[] = {"seconds", "ratio", "bytes"};
constexpr std::string_view total = "_total";

}  // namespace

void TextWriter::begin(const Family& family) {
    name_ = family.name;
    suffix_.clear();
    // OpenMetrics names the family without it.
    if (is_open_ && family.type == Type::counter && name_.ends_with(total)) {
        name_.resize(name_.size() - total.size());
        suffix_ = total;
    }
    help_ = family.help;
    type_ = family.type;
    has_rows_ = false;
}

void TextWriter::append_head() {
    if (has_rows_) return;
    has_rows_ = true;
    const std::string_view type = type_words[static_cast<std::size_t>(type_)];
    if (!is_open_) out_.append("# HELP ").append(name_).append(" ").append(help_).append("\n");
    out_.append("# TYPE ").append(name_).append(" ").append(type).append("\n");
    if (!is_open_) return;
    for (const std::string_view unit : units) {
        const std::string end = "_" + std::string(unit);
        if (!name_.ends_with(end)) continue;
        out_.append("# UNIT ").append(name_).append(" ").append(unit).append("\n");
    }
    out_.append("# HELP ").append(name_).append(" ").append(help_).append("\n");
}

void TextWriter::append_name(const Row& row, std::string_view suffix, std::string_view bound) {
    out_.append(name_).append(suffix);
    if (row.labels.text.empty() && row.extra.empty() && bound.empty()) {
        out_ += ' ';
        return;
    }
    out_.append("{").append(row.labels.text);
    bool is_first = row.labels.text.empty();
    const auto label = [&](std::string_view name, std::string_view value) {
        if (!is_first) out_ += ',';
        is_first = false;
        out_.append(name).append("=\"").append(value).append("\"");
    };
    for (const auto& [name, value] : row.extra) {
        label(name, value);
    }
    if (!bound.empty()) label("le", bound);
    out_ += "} ";
}

void TextWriter::append_line(const Row& row, std::string_view suffix, const Value& value) {
    append_name(row, suffix);
    append_value(out_, value);
    out_ += '\n';
}

void TextWriter::append_created(const Row& row) {
    if (!is_open_ || !format_.has_created || row.created_ns == 0) return;
    append_line(row, "_created", Decimal{.value = row.created_ns, .digits = 9});
}

void TextWriter::append_exemplar(const Exemplar& exemplar) {
    out_.append(" # {seq=\"").append(std::to_string(exemplar.sequence));
    out_.append("\",time=\"").append(utc_text(exemplar.time_ns)).append("\"} ");
    append_decimal(out_, exemplar.value_ns, 9);
    out_ += ' ';
    append_decimal(out_, exemplar.time_ns, 9);
}

void TextWriter::number(const Row& row, const Value& value) {
    append_head();
    append_line(row, suffix_, value);
    if (type_ == Type::counter) append_created(row);
    offer();
}

void TextWriter::summary(const Row& row, std::uint64_t count, const TimeSum& sum) {
    append_head();
    append_line(row, "_sum", sum);
    append_line(row, "_count", count);
    append_created(row);
    offer();
}

void TextWriter::histogram(const Row& row, const Distribution& times,
                           std::span<const Exemplar> exemplars) {
    append_head();
    const Bounds& bounds = format_.shape.bounds;
    std::uint64_t below = 0;
    for (std::size_t place = 0; place <= bounds.size(); ++place) {
        const bool is_last = place == bounds.size();
        if (is_last) {
            below = times.count;
        } else if (place < times.classic.size()) {
            below += times.classic[place];
        }
        append_name(row, "_bucket",
                    is_last    ? "+Inf"
                    : is_open_ ? bounds[place].open_text
                               : bounds[place].text);
        append_value(out_, below);
        const auto found = std::ranges::find(exemplars, place, &Exemplar::place);
        if (is_open_ && found != exemplars.end() && is_fresh(*found)) append_exemplar(*found);
        out_ += '\n';
    }
    if (times.negative_count == 0) {
        append_line(row, "_sum", times.sum);
        append_line(row, "_count", times.count);
    }
    append_created(row);
    offer();
}

void TextWriter::finish() {
    if (is_open_) out_ += "# EOF\n";
    offer(true);
}

}  // namespace latmon::plugins::prometheus
