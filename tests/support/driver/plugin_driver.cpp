// SPDX-License-Identifier: Apache-2.0
//
// plugin_driver PLUGIN.so [flags] [key=value ...]: loads a plugin, feeds it samples that were made
// up, as fast as it takes them or at a rate, and prints as one JSON object what that took. For
// tests of what an exporter wrote, which can compute every sample again, and for the CPU time that
// one costs. key=value: the plugin's options; a list is key=[a,b].
//
//   --rows N         samples in all (100000)          --batch N   in one export_batch() (256)
//   --series N       they take turns (4)              --rate N    a second; 0: no limit (0)
//   --kinds LIST     of the series, in turn: exchange,connect,reflection,node (exchange)
//   --tag K:V        of every series; may be repeated
//   --start NS       time_ns of sample 0 (1768219134587069267); each next one is 1000 ns later
//   --first N        the number of the first sample (0)
//   --max-waiting N  pause while the plugin's counter push_rows_waiting is above N; 0: never (0)
//   --linger S       seconds between the last sample and destroy() (0)
//   --windows S      instead of samples, but those of nodes: after each batch a window of S seconds
//                    for each series in it, as of the batch's first sample (0: samples)
//   --serve PORT     the plugin's pages on 127.0.0.1; 0: not (0)
//   --unlock PATH    linger on until that file is there
//   --remove ID      then that series is over, and it lingers on until the file is gone
//
// Sample number i, with series s = i % series, is:
//   time_ns = start + 1000 i      sequence = i % 2^32      packet_bytes = 44 (connect: 0)
//   scheduled_ns = time_ns - 500000, lateness_ns = i % 1000
//   i % 10 == 9: status lost, no times.  Else: status ok,
//     rtt_ns = 100000 + 7919 i % 1000003      rtt_user_ns = rtt_ns + 5000     turnaround_ns = 700
//     owd_fwd_ns = rtt_ns / 2 - 60000 (often negative), lo and hi 1000 around it; class estimated
//     t1_ns = time_ns - rtt_ns, t2_ns = t1_ns + owd_fwd_ns, t4_ns = time_ns
//   reflection: status ok, t1_ns, t2_ns and the peer 192.0.2.(1 + s % 200)
//   node: value = i
// "answered" in what is printed counts those with i % 10 != 9 among exchange and connect.
#include "support/driver/driver_host.hpp"
#include "support/driver/driver_http.hpp"
#include "support/driver/window_maker.hpp"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::driver {
namespace {

struct Flags {
    std::string plugin;
    std::uint64_t rows = 100'000;
    std::uint64_t batch = 256;
    std::uint64_t series = 4;
    std::uint64_t rate = 0;
    std::uint64_t start = 1'768'219'134'587'069'267;
    std::uint64_t first = 0;
    std::uint64_t max_waiting = 0;
    std::uint64_t linger = 0;
    std::uint64_t windows = 0;
    std::uint64_t serve = 0;
    std::uint64_t remove = ~std::uint64_t{0};
    std::vector<latmon_kind_t> kinds{LATMON_KIND_EXCHANGE};
    std::vector<std::string> tags;
    std::vector<std::string> options;
    std::string unlock;
};

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void wait_until(double monotonic_s) {
    timespec until{};
    until.tv_sec = static_cast<time_t>(monotonic_s);
    until.tv_nsec = static_cast<long>((monotonic_s - static_cast<double>(until.tv_sec)) * 1e9);
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
}

// -- Samples --------------------------------------------------------------------------------------

void set_times(latmon_sample_t& sample, std::uint64_t number) {
    sample.valid |= LATMON_HAS_RTT | LATMON_HAS_RTT_USER | LATMON_HAS_TURNAROUND |
                    LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_FWD_LO_HI | LATMON_HAS_T1 | LATMON_HAS_T2 |
                    LATMON_HAS_T4;
    sample.rtt_ns = static_cast<std::int64_t>(100'000 + 7'919 * number % 1'000'003);
    sample.rtt_user_ns = sample.rtt_ns + 5'000;
    sample.turnaround_ns = 700;
    sample.owd_fwd_ns = sample.rtt_ns / 2 - 60'000;
    sample.owd_fwd_lo_ns = sample.owd_fwd_ns - 1'000;
    sample.owd_fwd_hi_ns = sample.owd_fwd_ns + 1'000;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.t1_ns = sample.time_ns - sample.rtt_ns;
    sample.t2_ns = sample.t1_ns + sample.owd_fwd_ns;
    sample.t4_ns = sample.time_ns;
    sample.t1_stamp = LATMON_STAMP_KERNEL;
    sample.t2_stamp = LATMON_STAMP_PEER;
    sample.t4_stamp = LATMON_STAMP_KERNEL;
}

void set_peer(latmon_sample_t& sample) {
    sample.valid |= LATMON_HAS_PEER;
    sample.peer_address[10] = sample.peer_address[11] = 0xFF;
    sample.peer_address[12] = 192;
    sample.peer_address[14] = 2;
    sample.peer_address[15] = static_cast<std::uint8_t>(1 + sample.series_id % 200);
    sample.peer_port = 8001;
}

latmon_sample_t sample_of(const Flags& flags, std::uint64_t number) {
    latmon_sample_t sample{};
    sample.series_id = static_cast<std::uint32_t>(number % flags.series);
    const latmon_kind_t kind = flags.kinds[sample.series_id % flags.kinds.size()];
    sample.kind = static_cast<std::uint8_t>(kind);
    sample.time_ns = static_cast<std::int64_t>(flags.start + 1'000 * number);
    if (kind == LATMON_KIND_NODE) {
        sample.valid = LATMON_HAS_VALUE;
        sample.value = static_cast<std::int64_t>(number);
        return sample;
    }
    sample.protocol = kind == LATMON_KIND_CONNECT ? LATMON_PROTOCOL_TCP : LATMON_PROTOCOL_UDP;
    sample.sequence = static_cast<std::uint32_t>(number);
    sample.packet_bytes = kind == LATMON_KIND_CONNECT ? 0 : 44;
    sample.valid = LATMON_HAS_SEQUENCE;
    set_peer(sample);
    const bool is_lost = number % 10 == 9 && kind != LATMON_KIND_REFLECTION;
    sample.status = is_lost ? LATMON_STATUS_LOST : LATMON_STATUS_OK;
    if (!is_lost) set_times(sample, number);
    if (kind == LATMON_KIND_REFLECTION) {
        sample.valid &= LATMON_HAS_SEQUENCE | LATMON_HAS_PEER | LATMON_HAS_T1 | LATMON_HAS_T2;
        return sample;
    }
    sample.valid |= LATMON_HAS_SCHEDULE;
    sample.scheduled_ns = sample.time_ns - 500'000;
    sample.lateness_ns = static_cast<std::int64_t>(number % 1'000);
    return sample;
}

std::vector<SeriesText> series_of(const Flags& flags) {
    std::vector<SeriesText> all;
    for (std::uint64_t id = 0; id < flags.series; ++id) {
        SeriesText& series = all.emplace_back();
        series.kind = flags.kinds[id % flags.kinds.size()];
        series.source = "driver";
        series.tags = flags.tags;
        if (series.kind == LATMON_KIND_NODE) {
            series.protocol = LATMON_PROTOCOL_NONE;
            series.name = "counter_" + std::to_string(id);
            series.tags.clear();
            continue;
        }
        series.target = "target-" + std::to_string(id);
        if (series.kind == LATMON_KIND_CONNECT) series.protocol = LATMON_PROTOCOL_TCP;
    }
    return all;
}

// -- The run --------------------------------------------------------------------------------------

struct Figures {
    std::uint64_t batches = 0;
    std::uint64_t errors = 0;
    std::uint64_t answered = 0;
    std::uint64_t windows = 0;
    double longest_export_seconds = 0;  // Of one batch.
    double seconds = 0;
    double cpu_seconds = 0;         // Of the process, all threads, without making the samples.
    double export_cpu_seconds = 0;  // Of export_batch() and flush() alone.
};

class Run {
public:
    Run(const Flags& flags, DriverHost& host, const latmon_plugin_t& plugin)
        : flags_(flags), host_(host), plugin_(plugin) {}

    // False if the plugin refused.
    bool go() {
        const double start_s = seconds_of(CLOCK_MONOTONIC);
        const double start_cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        exporter_ = plugin_.create(host_.table(), host_.options());
        if (exporter_ == nullptr) return false;
        if (flags_.windows > 0 && plugin_.extension != nullptr) {
            windows_ = static_cast<const latmon_windows_t*>(plugin_.extension(LATMON_WINDOWS_1));
        }
        if (flags_.windows > 0 && windows_ == nullptr) return false;
        DriverServer server(host_.pages());
        if (flags_.serve > 0 && !server.start(static_cast<std::uint16_t>(flags_.serve))) {
            return false;
        }
        feed();
        linger();
        flush();
        plugin_.destroy(exporter_);
        figures_.seconds = seconds_of(CLOCK_MONOTONIC) - start_s;
        figures_.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_s - making_cpu_s_;
        return true;
    }

    [[nodiscard]] const Figures& figures() const noexcept { return figures_; }

private:
    void linger() {
        wait_until(seconds_of(CLOCK_MONOTONIC) + static_cast<double>(flags_.linger));
        wait_for_file(true);
        if (flags_.remove >= flags_.series || plugin_.extension == nullptr) return;
        const auto* const events =
            static_cast<const latmon_series_events_t*>(plugin_.extension(LATMON_SERIES_1));
        const std::uint32_t id = static_cast<std::uint32_t>(flags_.remove);
        if (events != nullptr) events->removed(exporter_, &id, 1);
        wait_for_file(false);
    }

    void wait_for_file(bool is_there) {
        const char* const path = flags_.unlock.c_str();
        while (!flags_.unlock.empty() && (::access(path, F_OK) == 0) != is_there) {
            wait_until(seconds_of(CLOCK_MONOTONIC) + 0.02);
        }
    }

    void feed() {
        const double start_s = seconds_of(CLOCK_MONOTONIC);
        double next_flush_s = start_s + 1;
        std::vector<latmon_sample_t> batch;
        for (std::uint64_t done = 0; done < flags_.rows; done += batch.size()) {
            make(batch, done);
            if (flags_.rate > 0) {
                wait_until(start_s + static_cast<double>(done) / static_cast<double>(flags_.rate));
            }
            while (flags_.max_waiting > 0 &&
                   host_.counter("push_rows_waiting") > flags_.max_waiting) {
                wait_until(seconds_of(CLOCK_MONOTONIC) + 0.001);
            }
            hand_over(batch);
            if (seconds_of(CLOCK_MONOTONIC) < next_flush_s) continue;
            next_flush_s += 1;
            flush();
        }
    }

    void make(std::vector<latmon_sample_t>& batch, std::uint64_t done) {
        const double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        batch.clear();
        const std::uint64_t left = flags_.rows - done;
        for (std::uint64_t index = 0; index < (left < flags_.batch ? left : flags_.batch);
             ++index) {
            batch.push_back(sample_of(flags_, flags_.first + done + index));
            figures_.answered += (batch.back().valid & LATMON_HAS_RTT) != 0 ? 1U : 0U;
        }
        making_cpu_s_ += seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
    }

    void hand_over(const std::vector<latmon_sample_t>& batch) {
        if (flags_.windows > 0) {
            hand_over_windows(batch);
            return;
        }
        account([&] {
            return plugin_.export_batch(exporter_, batch.data(),
                                        static_cast<std::uint32_t>(batch.size()));
        });
    }

    void hand_over_windows(const std::vector<latmon_sample_t>& batch) {
        const double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        std::vector<latmon_sample_t> others;
        for (const latmon_sample_t& sample : batch) {
            if (sample.kind == LATMON_KIND_NODE) {
                others.push_back(sample);
            } else {
                maker_.take(sample);
            }
        }
        const std::int64_t length_ns = static_cast<std::int64_t>(flags_.windows * 1'000'000'000);
        const std::int64_t begin_ns = batch.front().time_ns / length_ns * length_ns;
        const std::vector<const latmon_window_t*>& windows = maker_.windows(begin_ns, length_ns);
        making_cpu_s_ += seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
        // As many at once as latmon hands over.
        constexpr std::size_t most = 256;
        for (std::size_t at = 0; at < windows.size(); at += most) {
            const std::size_t left = windows.size() - at;
            account([&] {
                return windows_->export_windows(
                    exporter_, windows.data() + at,
                    static_cast<std::uint32_t>(left < most ? left : most));
            });
        }
        figures_.windows += windows.size();
        if (others.empty()) return;
        account([&] {
            return plugin_.export_batch(exporter_, others.data(),
                                        static_cast<std::uint32_t>(others.size()));
        });
    }

    template <typename Call>
    void account(Call&& call) {
        const double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        const double start_wall_s = seconds_of(CLOCK_MONOTONIC);
        const latmon_result_t result = call();
        const double took_s = seconds_of(CLOCK_MONOTONIC) - start_wall_s;
        if (took_s > figures_.longest_export_seconds) figures_.longest_export_seconds = took_s;
        figures_.export_cpu_seconds += seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
        ++figures_.batches;
        if (result != LATMON_RESULT_OK) ++figures_.errors;
    }

    void flush() {
        if (plugin_.flush == nullptr) return;
        const double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        if (plugin_.flush(exporter_) != LATMON_RESULT_OK) ++figures_.errors;
        figures_.export_cpu_seconds += seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
    }

    const Flags& flags_;
    DriverHost& host_;
    const latmon_plugin_t& plugin_;
    const latmon_windows_t* windows_ = nullptr;
    WindowMaker maker_;
    void* exporter_ = nullptr;
    double making_cpu_s_ = 0;
    Figures figures_;
};

void print(const Flags& flags, const Figures& figures, const DriverHost& host) {
    const double rows = flags.rows == 0 ? 1 : static_cast<double>(flags.rows);
    std::printf("{\"rows\": %llu, \"batches\": %llu, \"errors\": %llu, \"answered\": %llu, ",
                static_cast<unsigned long long>(flags.rows),
                static_cast<unsigned long long>(figures.batches),
                static_cast<unsigned long long>(figures.errors),
                static_cast<unsigned long long>(figures.answered));
    std::printf("\"seconds\": %.6f, \"cpu_us_per_row\": %.4f, \"export_cpu_us_per_row\": %.4f, ",
                figures.seconds, figures.cpu_seconds * 1e6 / rows,
                figures.export_cpu_seconds * 1e6 / rows);
    std::printf("\"windows\": %llu, \"longest_export_seconds\": %.6f, ",
                static_cast<unsigned long long>(figures.windows), figures.longest_export_seconds);
    std::printf("\"counters\": {");
    for (std::uint32_t index = 0; index < host.counter_count(); ++index) {
        const latmon_counter& counter = host.counter_at(index);
        std::printf("%s\"%s\": %llu", index == 0 ? "" : ", ", counter.name.c_str(),
                    static_cast<unsigned long long>(counter.value.load()));
    }
    std::printf("}}\n");
}

// -- The command line -----------------------------------------------------------------------------

bool parse_kinds(std::string_view list, std::vector<latmon_kind_t>& kinds) {
    static constexpr std::string_view words[] = {"", "exchange", "connect", "reflection", "node"};
    kinds.clear();
    while (!list.empty()) {
        const std::string_view word = list.substr(0, list.find(','));
        std::size_t kind = 1;
        while (kind < std::size(words) && words[kind] != word) {
            ++kind;
        }
        if (kind == std::size(words)) return false;
        kinds.push_back(static_cast<latmon_kind_t>(kind));
        list.remove_prefix(word.size() < list.size() ? word.size() + 1 : word.size());
    }
    return !kinds.empty();
}

bool parse_number(Flags& flags, std::string_view flag, std::string_view text) {
    const struct {
        std::string_view flag;
        std::uint64_t* value;
    } numbers[] = {{"--rows", &flags.rows},
                   {"--batch", &flags.batch},
                   {"--series", &flags.series},
                   {"--rate", &flags.rate},
                   {"--start", &flags.start},
                   {"--first", &flags.first},
                   {"--max-waiting", &flags.max_waiting},
                   {"--linger", &flags.linger},
                   {"--windows", &flags.windows},
                   {"--serve", &flags.serve},
                   {"--remove", &flags.remove}};
    for (const auto& number : numbers) {
        if (number.flag != flag) continue;
        const char* const end = text.data() + text.size();
        return std::from_chars(text.data(), end, *number.value).ptr == end && !text.empty();
    }
    return false;
}

bool parse(int argc, char** argv, Flags& flags) {
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        if (!word.starts_with("--")) {
            if (flags.plugin.empty()) {
                flags.plugin = word;
            } else {
                flags.options.emplace_back(word);
            }
            continue;
        }
        if (++index == argc) return false;
        const std::string_view value = argv[index];
        if (word == "--tag") {
            flags.tags.emplace_back(value);
        } else if (word == "--unlock") {
            flags.unlock = value;
        } else if (word == "--kinds") {
            if (!parse_kinds(value, flags.kinds)) return false;
        } else if (!parse_number(flags, word, value)) {
            return false;
        }
    }
    return !flags.plugin.empty() && flags.batch > 0 && flags.series > 0;
}

const latmon_plugin_t* load(const std::string& path) {
    void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const symbol = library == nullptr ? nullptr : ::dlsym(library, "latmon_plugin_entry");
    if (symbol == nullptr) {
        std::fprintf(stderr, "plugin_driver: %s\n", ::dlerror());
        return nullptr;
    }
    return reinterpret_cast<decltype(&latmon_plugin_entry)>(symbol)();
}

}  // namespace
}  // namespace latmon::driver

int main(int argc, char** argv) {
    using namespace latmon::driver;
    Flags flags;
    if (!parse(argc, argv, flags)) {
        std::fprintf(stderr, "usage: plugin_driver PLUGIN.so [--flag value ...] [key=value ...]\n");
        return 2;
    }
    const latmon_plugin_t* const plugin = load(flags.plugin);
    if (plugin == nullptr) return 1;
    DriverHost host(series_of(flags), true);
    for (const std::string& option : flags.options) {
        if (!host.add_option(option)) {
            std::fprintf(stderr, "plugin_driver: %s is no key=value\n", option.c_str());
            return 2;
        }
    }
    Run run(flags, host, *plugin);
    if (!run.go()) return 78;  // As latmon, if a plugin refuses its options.
    print(flags, run.figures(), host);
    return 0;
}
