// SPDX-License-Identifier: Apache-2.0
//
// The options of every exporter that pushes, with their ranges. The defaults are those that the
// exporter brings in `settings`. Times are seconds in a configuration, sizes octets.
//
//   batch_rows        1 to 10,000,000         buffer_bytes      64 KiB to 64 GiB
//   batch_bytes       1 KiB to 1 GiB          overflow          "drop_oldest", "drop_newest"
//   flush_interval    0.01 to 3,600           compression       "gzip", "none"
//   timeout           0.1 to 600              spool             a directory
//   retry_min         0.01 to 3,600           spool_bytes       64 KiB to 1 PiB
//   retry_max         0.01 to 86,400          ca_file, cert_file, key_file   PEM files
//   shutdown_timeout  0 to 60                 insecure          true, false
//                                             proxy             a URL
#include "push/settings.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace latmon::plugins::push {
namespace {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;
constexpr std::int64_t pib = 1024 * (1024 * gib);

class Reader {
public:
    Reader(const latmon_host_t* host, const latmon_options_t* options)
        : host_(host), options_(options) {}

    void read_seconds(const char* key, milliseconds& value, double min_s, double max_s) {
        const double fallback_s = static_cast<double>(value.count()) / 1e3;
        const double value_s = host_->option_float(options_, key, fallback_s, min_s, max_s);
        value = milliseconds(std::llround(value_s * 1e3));
    }

    void read_bytes(const char* key, std::uint64_t& value, std::int64_t min, std::int64_t max) {
        const std::int64_t fallback = static_cast<std::int64_t>(value);
        value = static_cast<std::uint64_t>(host_->option_int(options_, key, fallback, min, max));
    }

    void read_text(const char* key, std::string& value) {
        value = host_->option_string(options_, key, value.c_str());
    }

    // One of two words; `value` is true for the first.
    void read_choice(const char* key, bool& value, std::string_view first,
                     std::string_view second) {
        const std::string fallback(value ? first : second);
        const std::string word = host_->option_string(options_, key, fallback.c_str());
        if (word != first && word != second) {
            refuse(std::string(key) + " = \"" + word + "\" is not known: write " +
                   std::string(first) + " or " + std::string(second));
        }
        value = word == first;
    }

    void refuse(const std::string& text) {
        host_->log(host_, LATMON_LOG_ERROR, text.c_str());
        is_good_ = false;
    }

    [[nodiscard]] bool is_good() const noexcept { return is_good_; }

private:
    const latmon_host_t* host_;
    const latmon_options_t* options_;
    bool is_good_ = true;
};

void read_batching(const latmon_host_t* host, const latmon_options_t* options, Settings& settings,
                   Reader& reader) {
    settings.batch_rows = static_cast<std::uint32_t>(
        host->option_int(options, "batch_rows", settings.batch_rows, 1, 10'000'000));
    reader.read_bytes("batch_bytes", settings.batch_bytes, kib, gib);
    reader.read_seconds("flush_interval", settings.flush_interval, 0.01, 3'600);
    reader.read_seconds("timeout", settings.timeout, 0.1, 600);
    reader.read_seconds("retry_min", settings.retry_min, 0.01, 3'600);
    reader.read_seconds("retry_max", settings.retry_max, 0.01, 86'400);
    reader.read_seconds("shutdown_timeout", settings.shutdown_timeout, 0, 60);
    reader.read_choice("compression", settings.gzip, "gzip", "none");
}

// A whole state that is pushed again and again has nothing to keep: no such keys then.
void read_keeping(Settings& settings, Reader& reader) {
    if (settings.is_snapshot) return;
    bool is_oldest = settings.overflow == Overflow::drop_oldest;
    reader.read_choice("overflow", is_oldest, "drop_oldest", "drop_newest");
    settings.overflow = is_oldest ? Overflow::drop_oldest : Overflow::drop_newest;
    reader.read_bytes("buffer_bytes", settings.buffer_bytes, 64 * kib, 64 * gib);
    reader.read_text("spool", settings.spool);
    reader.read_bytes("spool_bytes", settings.spool_bytes, 64 * kib, pib);
}

void check_bounds(const Settings& settings, Reader& reader) {
    if (settings.retry_max < settings.retry_min) {
        reader.refuse("retry_max is less than retry_min: write at least as much");
    }
    if (settings.is_snapshot) return;
    const bool is_spooled = !settings.spool.empty();
    const std::uint64_t room = is_spooled ? settings.spool_bytes : settings.buffer_bytes;
    if (room < 2 * settings.batch_bytes) {
        const std::string key = is_spooled ? "spool_bytes" : "buffer_bytes";
        reader.refuse(key + " = " + std::to_string(room) + " has no room for two batches: write " +
                      std::to_string(2 * settings.batch_bytes) +
                      " or more, or a smaller batch_bytes");
    }
}

}  // namespace

bool read_settings(const latmon_host_t* host, const latmon_options_t* options, Settings& settings) {
    Reader reader(host, options);
    read_batching(host, options, settings, reader);
    read_keeping(settings, reader);
    reader.read_text("ca_file", settings.ca_file);
    reader.read_text("cert_file", settings.cert_file);
    reader.read_text("key_file", settings.key_file);
    settings.insecure = host->option_bool(options, "insecure", settings.insecure);
    reader.read_text("proxy", settings.proxy);
    check_bounds(settings, reader);
    if (!settings.key_file.empty() && settings.cert_file.empty()) {
        reader.refuse("key_file is given without cert_file: write both");
    }
    return reader.is_good();
}

}  // namespace latmon::plugins::push
