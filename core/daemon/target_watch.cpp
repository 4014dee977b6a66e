// SPDX-License-Identifier: Apache-2.0
//
// See target_watch.hpp.
#include "daemon/target_watch.hpp"

#include "base/log.hpp"

#include <fnmatch.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace latmon {
namespace {

constexpr std::uint32_t events_of_interest =
    IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

}  // namespace

TargetWatch::TargetWatch() : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

void TargetWatch::set(const std::vector<std::string>& patterns) {
    if (patterns == patterns_) return;
    patterns_ = patterns;
    for (const auto& [watch, name] : names_)
        ::inotify_rm_watch(inotify_.get(), watch);  // The second time of one it is gone already.
    names_.clear();
    for (const std::string& pattern : patterns) {
        const std::size_t slash = pattern.rfind('/');
        const std::string directory = slash == std::string::npos ? "."
                                      : slash == 0               ? "/"
                                                                 : pattern.substr(0, slash);
        const int watch =
            ::inotify_add_watch(inotify_.get(), directory.c_str(), events_of_interest);
        if (watch < 0) {
            log::warning("target_files: " + directory + " cannot be watched (" +
                         std::strerror(errno) + "): what changes there is seen at the next reload");
            continue;
        }
        names_.emplace(watch, pattern.substr(slash == std::string::npos ? 0 : slash + 1));
    }
}

void TargetWatch::take(Instant now) {
    alignas(inotify_event) std::array<char, 16'384> buffer;
    for (;;) {
        const ssize_t octets = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (octets <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(octets);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof(event));
            const std::string_view name(event.len == 0 ? "" : buffer.data() + at + sizeof(event));
            const bool is_lost = (event.mask & IN_Q_OVERFLOW) != 0;
            if (is_lost || concerns(event.wd, name)) due_ = now + quiet;
            at += sizeof(event) + event.len;
        }
    }
}

// A directory of Kubernetes's changes by a rename of "..data", which all files there are links to.
bool TargetWatch::concerns(int watch, std::string_view name) const {
    const auto [first, last] = names_.equal_range(watch);
    return std::any_of(first, last, [name](const auto& entry) {
        return name == "..data" ||
               ::fnmatch(entry.second.c_str(), std::string(name).c_str(), FNM_PERIOD) == 0;
    });
}

}  // namespace latmon
