// SPDX-License-Identifier: Apache-2.0
//
// See writer.hpp.
#include "prometheus/writer.hpp"

#include "support/decimal.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace latmon::plugins::prometheus {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

void append_count(std::string& out, std::uint64_t count) {
    std::array<char, 20> text;  // "18446744073709551615"
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), count).ptr);
}

struct Append {
    std::string& out;

    void operator()(std::uint64_t count) const { append_count(out, count); }
    void operator()(const Decimal& decimal) const {
        if (decimal.digits == 0) {
            out += std::to_string(decimal.value);
        } else {
            append_decimal(out, decimal.value, decimal.digits);
        }
    }
    void operator()(const TimeSum& sum) const { sum.append_to(out); }
    void operator()(double number) const { out += float_text(number); }
};

struct AsDouble {
    double operator()(std::uint64_t count) const noexcept { return static_cast<double>(count); }
    double operator()(const Decimal& decimal) const noexcept {
        return static_cast<double>(decimal.value) / std::pow(10.0, decimal.digits);
    }
    double operator()(const TimeSum& sum) const noexcept { return sum.seconds(); }
    double operator()(double number) const noexcept { return number; }
};

}  // namespace

void append_value(std::string& out, const Value& value) {
    std::visit(Append{out}, value);
}

double double_of(const Value& value) noexcept {
    return std::visit(AsDouble{}, value);
}

std::string utc_text(std::int64_t time_ns) {
    std::int64_t seconds = time_ns / second_ns;
    std::int64_t part_ns = time_ns % second_ns;
    if (part_ns < 0) {
        part_ns += second_ns;
        --seconds;
    }
    const std::time_t whole = seconds;
    std::tm parts{};
    if (::gmtime_r(&whole, &parts) == nullptr) return {};
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string digits = std::to_string(part_ns);
    digits.insert(0, 9 - digits.size(), '0');
    return std::string(text.data(), length).append(".").append(digits).append("Z");
}

}  // namespace latmon::plugins::prometheus
