// SPDX-License-Identifier: Apache-2.0
//
// Notices when files with targets change: by inotify(7) on their directories, because editors and
// tools write a new file and rename it. Changes come in bunches; what is told is that there was one
// and that it has been quiet since. Reads nothing. [main-thread]
#pragma once

#include "base/fd.hpp"
#include "base/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

class TargetWatch {
public:
    // So long nothing may have changed before it counts.
    static constexpr Duration quiet = Duration::from_ms(200);

    TargetWatch();

    // From now on the files that match these: the last part of a path may have wildcards. A
    // directory that cannot be watched is logged.
    void set(const std::vector<std::string>& patterns);

    // Becomes readable when something happened in a directory.
    [[nodiscard]] int ready_fd() const noexcept { return inotify_.get(); }
    // Looks at what happened.
    void take(Instant now);

    // When what happened counts, if anything did.
    [[nodiscard]] std::optional<Instant> due() const noexcept { return due_; }
    // It is dealt with.
    void forget() noexcept { due_.reset(); }

private:
    [[nodiscard]] bool concerns(int watch, std::string_view name) const;

    Fd inotify_;
    std::vector<std::string> patterns_;
    std::multimap<int, std::string> names_;  // By watch: patterns of files in that directory.
    std::optional<Instant> due_;
};

}  // namespace latmon
