// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows dlfcn.h. The checks before dlopen() come first because dlopen() already
// runs the library's constructors: a file that somebody else may write must not get so far. Who
// owns the file is checked too, so that a file moved into place by another user is refused even if
// the directory lets them. [main-thread]
#include "exporter/library.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>

namespace latmon {
namespace {

using Entry = const latmon_plugin_t* (*)();

// What an ABI 1 table holds at least; a later plugin's may be longer.
constexpr std::size_t table_bytes_min =
    offsetof(latmon_plugin_t, extension) + sizeof(latmon_plugin_t::extension);

std::unexpected<Error> refuse(std::string text) {
    return fail(ExitCode::configuration, std::move(text));
}

// Absolute: dlopen() would search the linker's own path for a name without a slash.
std::string absolute(const std::string& path) {
    std::error_code error;
    const std::filesystem::path full = std::filesystem::absolute(path, error);
    return error ? path : full.lexically_normal().string();
}

std::string executable_directory() {
    std::error_code error;
    const std::filesystem::path file = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "" : file.parent_path().string();
}

Result<std::string> find_by_name(const std::string& name,
                                 std::span<const std::string> plugin_path) {
    if (name.find('/') != std::string::npos) {
        return refuse(fmt::format(
            "plugin = \"{}\" is not a name: write path = \"{}\" to load a file", name, name));
    }
    const std::vector<std::string> directories = plugin_directories(plugin_path);
    for (const std::string& directory : directories) {
        const std::string file = fmt::format("{}/{}.so", directory, name);
        struct stat status {};
        if (::stat(file.c_str(), &status) == 0) return file;
        if (errno != ENOENT && errno != ENOTDIR) {
            return refuse(fmt::format("{} cannot be looked at ({}): let this user read it", file,
                                      std::strerror(errno)));
        }
    }
    return refuse(fmt::format(
        "there is no {}.so in {}: correct the name, or add its directory to plugin_path "
        "or LATMON_PLUGIN_PATH",
        name, fmt::join(directories, ", ")));
}

Result<void> check_permissions(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return refuse(fmt::format("{} cannot be looked at ({}): correct the path", file,
                                  std::strerror(errno)));
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(fmt::format("{} is not a regular file: name the plugin's .so", file));
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return refuse(fmt::format("{} may be written by others than its owner: run chmod go-w {}",
                                  file, file));
    }
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return refuse(
            fmt::format("{} belongs to user {}, who is neither root nor the user that runs latmon "
                        "({}): run chown root {}",
                        file, status.st_uid, ::geteuid(), file));
    }
    return {};
}

Result<void> check_is_elf(const std::string& file) {
    const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open()) {
        return refuse(fmt::format("{} cannot be read ({}): let this user read it", file,
                                  std::strerror(errno)));
    }
    char magic[4] = {};
    const ssize_t got = ::read(opened.get(), magic, sizeof(magic));
    if (got != sizeof(magic) || std::memcmp(magic, "\177ELF", sizeof(magic)) != 0) {
        return refuse(
            fmt::format("{} is not a shared object: name the .so that the linker made", file));
    }
    return {};
}

Result<Entry> open_library(const std::string& file) {
    void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* const reason = ::dlerror();
        return refuse(fmt::format(
            "{} cannot be loaded ({}): install what it needs, or build it for this host", file,
            reason == nullptr ? "no reason given" : reason));
    }
    void* const symbol = ::dlsym(handle, "latmon_plugin_entry");
    if (symbol == nullptr) {
        return refuse(fmt::format(
            "{} has no symbol latmon_plugin_entry, so it is not a latmon plugin: define "
            "it with LATMON_EXPORT in front",
            file));
    }
    return reinterpret_cast<Entry>(symbol);
}

const latmon_plugin_t* call_entry(Entry entry) noexcept {
    try {
        return entry();
    } catch (...) {
        return nullptr;  // An exception across the ABI; the caller reports it as no table.
    }
}

Result<void> shake_hands(const latmon_plugin_t* table, const std::string& file) {
    if (table == nullptr) {
        return refuse(fmt::format(
            "{}: latmon_plugin_entry() gave no table: return the address of a static one", file));
    }
    if (table->abi_version != LATMON_ABI_VERSION) {
        return refuse(
            fmt::format("{} is built for plugin ABI {}, this latmon has {}: build it with this "
                        "latmon's headers",
                        file, table->abi_version, LATMON_ABI_VERSION));
    }
    if (table->struct_size < table_bytes_min) {
        return refuse(
            fmt::format("{}: struct_size is {}, ABI {} needs {}: set it to sizeof(latmon_plugin_t)",
                        file, table->struct_size, LATMON_ABI_VERSION, table_bytes_min));
    }
    const std::string basename = std::filesystem::path(file).stem().string();
    if (table->name == nullptr || basename != table->name) {
        return refuse(fmt::format("{} calls itself \"{}\": name file and plugin alike", file,
                                  table->name == nullptr ? "" : table->name));
    }
    if (table->create == nullptr || table->export_batch == nullptr || table->destroy == nullptr) {
        return refuse(fmt::format(
            "{}: create, export_batch or destroy is NULL: only flush and extension may be", file));
    }
    return {};
}

// What the first exporter of a file loaded, for those that come later.
std::string& loaded_identity(const std::string& file) {
    static std::map<std::string, std::string> identities;
    return identities[file];
}

}  // namespace

std::string identity_of_file(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return "";
    return fmt::format("{} {} {}.{} {}", status.st_dev, status.st_ino, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec, status.st_size);
}

std::vector<std::string> plugin_directories(std::span<const std::string> configured) {
    std::vector<std::string> directories;
    for (const std::string& directory : configured) {
        if (!directory.empty()) directories.push_back(absolute(directory));
    }
    const char* const environment = std::getenv("LATMON_PLUGIN_PATH");
    std::string_view rest = environment == nullptr ? "" : environment;
    while (!rest.empty()) {
        const std::size_t end = rest.find(':');
        if (end != 0) directories.push_back(absolute(std::string(rest.substr(0, end))));
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    const std::string executable = executable_directory();
    if (!executable.empty()) directories.push_back(executable + "/plugins");
    directories.emplace_back(LATMON_PLUGIN_DIR);
    return directories;
}

Result<LoadedPlugin> load_plugin(const ExporterConfig& config,
                                 std::span<const std::string> plugin_path) {
    const Result<std::string> found =
        config.path.empty() ? find_by_name(config.plugin, plugin_path) : absolute(config.path);
    if (!found) return std::unexpected(found.error());
    const Result<void> permissions = check_permissions(*found);
    if (!permissions) return std::unexpected(permissions.error());
    const Result<void> elf = check_is_elf(*found);
    if (!elf) return std::unexpected(elf.error());
    const Result<Entry> entry = open_library(*found);
    if (!entry) return std::unexpected(entry.error());

    const latmon_plugin_t* const table = call_entry(*entry);
    const Result<void> agreed = shake_hands(table, *found);
    if (!agreed) return std::unexpected(agreed.error());
    std::string& identity = loaded_identity(*found);
    if (identity.empty()) identity = identity_of_file(*found);
    return LoadedPlugin{.table = table, .file = *found, .identity = identity};
}

ExporterConfig with_fallback(const ExporterConfig& config,
                             std::span<const std::string> plugin_path) {
    if (!config.is_compatible) return config;
    for (const std::string& directory : plugin_directories(plugin_path)) {
        if (std::filesystem::exists(directory + "/" + config.plugin + ".so")) return config;
    }
    log::error("[metrics] backend = \"" + config.plugin + "\" needs " + config.plugin +
               ".so, which is in no plugin directory: samples go to stdout (cli) instead");
    ExporterConfig fallback = config;
    fallback.plugin = "cli";
    fallback.options.clear();
    return fallback;
}

}  // namespace latmon
