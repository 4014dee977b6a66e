// SPDX-License-Identifier: Apache-2.0
//
// A directory of a test's own, gone with everything in it when the test ends; and small files in
// it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace latmon::test {

class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string form = (std::filesystem::temp_directory_path() / "latmon-XXXXXX").string();
        path_ = ::mkdtemp(form.data()) == nullptr ? "" : form;
    }
    ~ScratchDirectory() {
        if (!path_.empty()) std::filesystem::remove_all(path_);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

    // A copy of a directory as it is now, in this one: what a crash would leave. Each has a name of
    // its own.
    [[nodiscard]] std::string copy_of(const std::string& directory) const {
        static int copies = 0;
        std::string copy = file("copy" + std::to_string(++copies));
        std::filesystem::copy(directory, copy);
        return copy;
    }

private:
    std::string path_;
};

inline std::string read_text(const std::string& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
}

inline void write_text(const std::string& file, const std::string& text) {
    std::ofstream(file) << text;
}

}  // namespace latmon::test
