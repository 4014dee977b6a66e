// SPDX-License-Identifier: Apache-2.0
//
// What /proc says of this process (proc(5)), read anew by every scrape, on its thread. What cannot
// be read is not told.
#include "prometheus/families.hpp"
#include "support/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <charconv>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

namespace latmon::plugins::prometheus {
namespace {

std::string read_file(const char* path) {
    std::array<char, 4096> text{};
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
    const ssize_t length = file.is_open() ? ::read(file.get(), text.data(), text.size()) : 0;
    return std::string(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

// The blank-separated number at `place`, from 0, of `text`.
std::optional<std::uint64_t> number_at(std::string_view text, unsigned place) {
    for (; place > 0; --place) {
        const std::size_t blank = text.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        text.remove_prefix(blank + 1);
    }
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, number).ec != std::errc()) return std::nullopt;
    return number;
}

std::optional<std::uint64_t> open_descriptors() {
    struct Close {
        void operator()(DIR* folder) const noexcept { ::closedir(folder); }
    };
    const std::unique_ptr<DIR, Close> folder(::opendir("/proc/self/fd"));
    if (folder == nullptr) return std::nullopt;
    std::uint64_t count = 0;
    while (::readdir(folder.get()) != nullptr) {
        ++count;
    }
    constexpr std::uint64_t others = 3;  // ".", ".." and the folder itself.
    return count < others ? std::nullopt : std::optional(count - others);
}

// When the system started, in seconds since 1970.
std::optional<std::uint64_t> boot_s() {
    const std::string stat = read_file("/proc/stat");
    const std::size_t at = stat.find("\nbtime ");
    if (at == std::string::npos) return std::nullopt;
    return number_at(std::string_view(stat).substr(at + 1), 1);
}

std::optional<double> start_s() {
    const std::string stat = read_file("/proc/self/stat");
    const std::size_t at = stat.rfind(") ");  // A program's name may hold anything.
    const std::optional<std::uint64_t> boot = boot_s();
    if (at == std::string::npos || !boot) return std::nullopt;
    constexpr unsigned start_place = 19;  // Of field 22, counted from field 3.
    const std::optional<std::uint64_t> ticks =
        number_at(std::string_view(stat).substr(at + 2), start_place);
    if (!ticks) return std::nullopt;
    const double per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    return static_cast<double>(*boot) + static_cast<double>(*ticks) / per_second;
}

std::int64_t cpu_ns() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

}  // namespace

void process_families(Writer& writer) {
    static const SeriesLabels none;
    const auto one = [&](const Family& family, const std::optional<Value>& value) {
        if (!value) return;
        writer.begin(family);
        writer.number({.labels = none}, *value);
    };
    one({.name = "process_cpu_seconds_total",
         .type = Type::counter,
         .help = "CPU time of all threads."},
        Decimal{.value = cpu_ns(), .digits = 9});
    const std::string pages = read_file("/proc/self/statm");
    const std::uint64_t page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto bytes = [&](unsigned place) -> std::optional<Value> {
        const std::optional<std::uint64_t> count = number_at(pages, place);
        return count ? std::optional<Value>(*count * page_bytes) : std::nullopt;
    };
    one({.name = "process_resident_memory_bytes", .help = "Memory in use."}, bytes(1));
    one({.name = "process_virtual_memory_bytes", .help = "Address space in use."}, bytes(0));
    one({.name = "process_open_fds", .help = "Open file descriptors."}, open_descriptors());
    rlimit limit{};
    const bool has_limit = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
    one({.name = "process_max_fds", .help = "The most file descriptors that may be open."},
        has_limit ? std::optional<Value>(std::uint64_t{limit.rlim_cur}) : std::nullopt);
    one({.name = "process_start_time_seconds", .help = "When it was started, since 1970."},
        start_s());
}

}  // namespace latmon::plugins::prometheus
