// SPDX-License-Identifier: Apache-2.0
//
// Dates are read by hand: strptime() follows the locale, and a server's date does not.
#include "push/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace latmon::plugins::push {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes text off the front; stays bad once something did not fit.
class Scanner {
public:
    explicit Scanner(std::string_view text) noexcept : rest_(text) {}

    // Exactly `digits` digits.
    int number(std::size_t digits) noexcept {
        if (rest_.size() < digits) return fail();
        int value = 0;
        for (const char letter : rest_.substr(0, digits)) {
            if (letter < '0' || letter > '9') return fail();
            value = value * 10 + (letter - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }

    // "06" or, as asctime() writes it, " 6".
    int day() noexcept {
        const bool is_padded = rest_.starts_with(' ');
        if (is_padded) rest_.remove_prefix(1);
        return number(is_padded ? 1 : 2);
    }

    // 1 to 12.
    int month() noexcept {
        const auto* const found = std::find(months.begin(), months.end(), rest_.substr(0, 3));
        if (found == months.end()) return fail();
        rest_.remove_prefix(3);
        return static_cast<int>(found - months.begin()) + 1;
    }

    void expect(std::string_view word) noexcept {
        if (!rest_.starts_with(word)) {
            fail();
            return;
        }
        rest_.remove_prefix(word.size());
    }

    // Letters, whatever they say: the weekday follows from the date.
    void skip_letters() noexcept {
        const std::size_t before = rest_.size();
        while (!rest_.empty() && ((rest_[0] | 0x20) >= 'a' && (rest_[0] | 0x20) <= 'z')) {
            rest_.remove_prefix(1);
        }
        if (rest_.size() == before) fail();
    }

    [[nodiscard]] bool begins_with(std::string_view word) const noexcept {
        return rest_.starts_with(word);
    }
    [[nodiscard]] bool is_good() const noexcept { return is_good_; }
    [[nodiscard]] bool is_at_end() const noexcept { return is_good_ && rest_.empty(); }

private:
    int fail() noexcept {
        is_good_ = false;
        return 0;
    }

    std::string_view rest_;
    bool is_good_ = true;
};

struct Date {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_clock(Scanner& scanner, Date& date) noexcept {
    date.hour = scanner.number(2);
    scanner.expect(":");
    date.minute = scanner.number(2);
    scanner.expect(":");
    date.second = scanner.number(2);
}

// IMF-fixdate `Sun, 06 Nov 1994 08:49:37 GMT`, RFC 850's `Sunday, 06-Nov-94 08:49:37 GMT`, or
// asctime's `Sun Nov  6 08:49:37 1994`.
std::optional<Date> read_date(std::string_view text) noexcept {
    Scanner scanner(text);
    Date date;
    scanner.skip_letters();
    if (!scanner.begins_with(",")) {
        scanner.expect(" ");
        date.month = scanner.month();
        scanner.expect(" ");
        date.day = scanner.day();
        scanner.expect(" ");
        read_clock(scanner, date);
        scanner.expect(" ");
        date.year = scanner.number(4);
        return scanner.is_at_end() ? std::optional(date) : std::nullopt;
    }
    scanner.expect(", ");
    date.day = scanner.number(2);
    const bool is_old = scanner.begins_with("-");
    scanner.expect(is_old ? "-" : " ");
    date.month = scanner.month();
    scanner.expect(is_old ? "-" : " ");
    date.year = scanner.number(is_old ? 2 : 4);
    // More than 50 years ahead means the last century; nobody asks to be retried then.
    if (is_old) date.year += 2000;
    scanner.expect(" ");
    read_clock(scanner, date);
    scanner.expect(" GMT");
    return scanner.is_at_end() ? std::optional(date) : std::nullopt;
}

std::optional<std::int64_t> seconds_of(const Date& date) noexcept {
    const std::chrono::year_month_day day{std::chrono::year(date.year),
                                          std::chrono::month(static_cast<unsigned>(date.month)),
                                          std::chrono::day(static_cast<unsigned>(date.day))};
    // A minute may have a leap second.
    if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
    return days * 86'400 + date.hour * 3'600L + date.minute * 60L + date.second;
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

milliseconds no_less(milliseconds pause, std::optional<std::int64_t> retry_after_s) noexcept {
    const std::int64_t asked_s =
        std::clamp<std::int64_t>(retry_after_s.value_or(0), 0, retry_after_s_max);
    return std::max(pause, milliseconds(asked_s * 1'000));
}

}  // namespace

std::optional<std::int64_t> parse_retry_after(std::string_view text, std::int64_t now_s) noexcept {
    text = trimmed(text);
    if (text.empty()) return std::nullopt;
    const bool is_number = std::all_of(text.begin(), text.end(),
                                       [](char digit) { return digit >= '0' && digit <= '9'; });
    if (is_number) {
        std::int64_t delay_s = retry_after_s_max;
        const std::from_chars_result read =
            std::from_chars(text.data(), text.data() + text.size(), delay_s);
        if (read.ec != std::errc()) return retry_after_s_max;  // More than 64 bits of seconds.
        return std::min(delay_s, retry_after_s_max);
    }
    const std::optional<Date> date = read_date(text);
    if (!date) return std::nullopt;
    const std::optional<std::int64_t> at_s = seconds_of(*date);
    if (!at_s) return std::nullopt;
    if (*at_s <= now_s) return 0;
    return now_s < *at_s - retry_after_s_max ? retry_after_s_max : *at_s - now_s;
}

milliseconds Backoff::pause(double share, std::optional<std::int64_t> retry_after_s) noexcept {
    const double part_ms = std::clamp(share, 0.0, 1.0) * static_cast<double>(next_.count());
    next_ = std::min(next_ * 2, max_);
    return no_less(milliseconds(std::llround(part_ms)), retry_after_s);
}

milliseconds Backoff::longest(std::optional<std::int64_t> retry_after_s) noexcept {
    next_ = max_;
    return no_less(max_, retry_after_s);
}

}  // namespace latmon::plugins::push
