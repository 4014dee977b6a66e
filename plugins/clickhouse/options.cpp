// SPDX-License-Identifier: Apache-2.0
//
// Both shapes in one place, so that what differs between them can be seen.
#include "clickhouse/options.hpp"

#include "support/secret.hpp"
#include "support/url.hpp"

#include <array>
#include <cmath>
#include <string>

namespace latmon::plugins::clickhouse {
namespace {

// -- The ancestor's defaults ----------------------------------------------------------------------

constexpr std::int64_t tls_port = 8443;

// A server cuts a longer INSERT into several parts, each committed for itself: its setting
// max_insert_block_size is 1,048,576 by default in old ones, a little less in new ones.
constexpr std::uint32_t batch_rows_max = 1'000'000;
constexpr const char* default_columns[point_field_count] = {"MetricName", "Timestamp",
                                                            "MetricValue", "Tags", "InsertedAt"};

class Reader {
public:
    Reader(const latmon_host_t* host, const latmon_options_t* options)
        : host_(host),
          options_(options),
          is_compatible_(host->option_bool(options, "compatible", false)) {}

    std::optional<Options> read() {
        Options out;
        Destination& to = out.destination;
        to.shape = is_compatible_ ? Shape::point : Shape::sample;
        to.table = text("table", is_compatible_ ? "metrics" : "latmon_samples");
        to.database = text("database", is_compatible_ ? "" : "default");
        to.username = text("username", "default");
        to.create_table = host_->option_bool(options_, "create_table", false);
        to.check_before_resend = host_->option_bool(options_, "check_before_resend", true);
        if (to.table.empty()) refuse("table is empty: write the table's name");
        read_url(to);
        read_password(to);
        if (is_compatible_) read_columns(to);
        read_pushing(out.settings);
        return is_good_ ? std::optional(out) : std::nullopt;
    }

private:
    std::string text(const char* key, const char* fallback) {
        return host_->option_string(options_, key, fallback);
    }
    bool has(const char* key) { return host_->option_string(options_, key, nullptr) != nullptr; }
    void refuse(const std::string& why) {
        host_->log(host_, LATMON_LOG_ERROR, why.c_str());
        is_good_ = false;
    }

    void read_url(Destination& to) {
        const std::string url = text("url", "");
        std::string host = text("host", "");
        const std::int64_t port =
            host_->option_int(options_, "port", is_compatible_ ? tls_port : 8123, 1, 65'535);
        const bool is_tls = host_->option_bool(options_, "tls", port == 443 || port == tls_port);
        if (!url.empty() && !host.empty()) {
            refuse("both url and host are given: keep one");
        } else if (is_compatible_ && url.empty() && host.empty()) {
            refuse("host is missing: write the name or address of the ClickHouse server");
        }
        if (host.find(':') != std::string::npos && !host.starts_with('[')) host = '[' + host + ']';
        if (host.empty()) host = "127.0.0.1";
        const std::string made =
            (is_tls ? "https://" : "http://") + host + ':' + std::to_string(port);
        const std::optional<std::string> base =
            url.empty() ? base_url(host_, "host", made) : base_url(host_, "url", url);
        is_good_ = is_good_ && base.has_value();
        to.url = base.value_or("");
    }

    void read_password(Destination& to) {
        const bool is_given = has("password") || has("password_file") || has("password_env");
        if (is_compatible_ && !is_given) {
            refuse("password is missing: write password = \"...\", or \"\" for none");
        }
        const std::optional<std::string> password = read_secret(host_, options_, "password");
        is_good_ = is_good_ && password.has_value();
        to.password = password.value_or("");
        // They travel in headers.
        if ((to.username + to.password).find_first_of("\r\n") != std::string::npos) {
            refuse("username or password holds a line break: remove it");
        }
    }

    void read_columns(Destination& to) {
        for (std::uint32_t index = 0;; ++index) {
            const char* const name = host_->option_list_item(options_, "columns", index);
            if (name == nullptr) break;
            to.columns.emplace_back(name);
        }
        if (to.columns.empty()) {
            to.columns.assign(std::begin(default_columns), std::end(default_columns));
        } else if (to.columns.size() != point_field_count) {
            refuse("columns has " + std::to_string(to.columns.size()) +
                   " names: write five, for the metric's name, its time stamp, its value, its "
                   "tags and the time of insertion, in this order");
        }
    }

    // An INSERT makes a part, which the server must merge: few and large ones are what it likes.
    void read_pushing(push::Settings& settings) {
        settings.batch_rows = 50'000;
        settings.batch_bytes = 16UL * 1024UL * 1024UL;
        settings.flush_interval = push::milliseconds(5'000);
        settings.timeout = push::milliseconds(30'000);
        if (is_compatible_) {
            const double interval_s =
                host_->option_float(options_, "send_interval", 30, 0.01, 3'600);
            settings.flush_interval = push::milliseconds(std::llround(interval_s * 1e3));
        }
        is_good_ = push::read_settings(host_, options_, settings) && is_good_;
        if (settings.batch_rows > batch_rows_max) {
            refuse("batch_rows = " + std::to_string(settings.batch_rows) +
                   " is more than a server takes in one piece: write " +
                   std::to_string(batch_rows_max) + " or less");
        }
    }

    const latmon_host_t* host_;
    const latmon_options_t* options_;
    bool is_compatible_;
    bool is_good_ = true;
};

}  // namespace

std::optional<Options> read_options(const latmon_host_t* host, const latmon_options_t* options) {
    return Reader(host, options).read();
}

}  // namespace latmon::plugins::clickhouse
