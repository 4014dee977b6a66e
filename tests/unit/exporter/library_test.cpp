// SPDX-License-Identifier: Apache-2.0
//
// Which files latmon loads as plugins, where it looks for them, and how it says no. Each refusal is
// provoked by a file that is sound but for the one thing.
#include "exporter/library.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace latmon {
namespace {

using test::ScratchDirectory;

ExporterConfig by_path(const std::string& path) {
    ExporterConfig config;
    config.path = path;
    return config;
}

ExporterConfig by_name(const std::string& name) {
    ExporterConfig config;
    config.plugin = name;
    return config;
}

// The error's text; "" if the plugin was loaded after all.
std::string load_refusal(const ExporterConfig& config,
                         const std::vector<std::string>& directories = {}) {
    const Result<LoadedPlugin> loaded = load_plugin(config, directories);
    if (loaded) return "";
    CHECK(loaded.error().code == ExitCode::configuration);
    CHECK(std::ranges::count(loaded.error().text, '\n') == 0);
    return loaded.error().text;
}

std::string refusal_of_fault(const std::string& fault) {
    const std::string text = load_refusal(by_name(fault), {TEST_PLUGIN_DIR});
    CHECK(text.find(TEST_PLUGIN_DIR "/" + fault + ".so") != std::string::npos);
    return text;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string copy_of_null(const ScratchDirectory& directory, ::mode_t mode) {
    const std::string file = directory.file("null.so");
    std::filesystem::copy_file(PLUGIN_DIR "/null.so", file);
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    return file;
}

TEST_CASE("library: a sound plugin gives its table") {
    const Result<LoadedPlugin> loaded = load_plugin(by_path(PLUGIN_DIR "/null.so"), {});
    REQUIRE(loaded);
    CHECK(loaded->table->name == std::string("null"));
    CHECK(loaded->file == PLUGIN_DIR "/null.so");
}

TEST_CASE("library: the same file loaded twice is one table") {
    const Result<LoadedPlugin> first = load_plugin(by_path(PLUGIN_DIR "/null.so"), {});
    const Result<LoadedPlugin> second = load_plugin(by_path(PLUGIN_DIR "/null.so"), {});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->table == second->table);
}

TEST_CASE("library: a relative path is made absolute before it is loaded") {
    const std::string relative =
        std::filesystem::relative(PLUGIN_DIR "/null.so", std::filesystem::current_path()).string();
    const Result<LoadedPlugin> loaded = load_plugin(by_path(relative), {});
    REQUIRE(loaded);
    CHECK(loaded->file == PLUGIN_DIR "/null.so");
}

TEST_CASE("library: directories are the configured ones, the environment's, ours, the installed") {
    REQUIRE(::setenv("LATMON_PLUGIN_PATH", "/from/environment::/and/another:", 1) == 0);
    const std::vector<std::string> configured{"/configured", "", "/a/../b"};
    const std::vector<std::string> directories = plugin_directories(configured);
    REQUIRE(::unsetenv("LATMON_PLUGIN_PATH") == 0);

    REQUIRE(directories.size() == 6);
    CHECK(directories[0] == "/configured");
    CHECK(directories[1] == "/b");
    CHECK(directories[2] == "/from/environment");
    CHECK(directories[3] == "/and/another");
    const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe");
    CHECK(directories[4] == executable.parent_path().string() + "/plugins");
    CHECK(contains(directories[5], "/latmon/plugins"));
}

TEST_CASE("library: the first directory that has the file wins") {
    const ScratchDirectory first;
    const ScratchDirectory second;
    copy_of_null(second, 0644);
    const Result<LoadedPlugin> loaded = load_plugin(
        by_name("null"), std::vector<std::string>{first.path(), second.path(), PLUGIN_DIR});
    REQUIRE(loaded);
    CHECK(loaded->file == second.file("null.so"));
}

TEST_CASE("library: a name that is nowhere is refused with the directories searched") {
    const std::string text = load_refusal(by_name("nowhere"), {"/somewhere", "/elsewhere"});
    CHECK(contains(text, "nowhere.so"));
    CHECK(contains(text, "/somewhere, /elsewhere, "));
    CHECK(contains(text, "LATMON_PLUGIN_PATH"));
}

TEST_CASE("library: a name with a slash is refused and pointed to `path`") {
    CHECK(contains(load_refusal(by_name("../null"), {PLUGIN_DIR}), "path = \"../null\""));
}

TEST_CASE("library: a path at which there is nothing is refused") {
    CHECK(contains(load_refusal(by_path("/no/such/file.so")),
                   "/no/such/file.so cannot be looked at"));
}

TEST_CASE("library: a directory is refused") {
    const ScratchDirectory directory;
    CHECK(contains(load_refusal(by_path(directory.path())), "is not a regular file"));
}

TEST_CASE("library: a file that others may write is refused") {
    for (const ::mode_t mode : {0664U, 0646U, 0666U}) {
        const ScratchDirectory directory;
        const std::string file = copy_of_null(directory, mode);
        CHECK(contains(load_refusal(by_path(file)), "chmod go-w " + file));
    }
}

TEST_CASE("library: a file of another user than root and us is refused") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root can give a file away");
        return;
    }
    const ScratchDirectory directory;
    const std::string file = copy_of_null(directory, 0755);
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
    CHECK(contains(load_refusal(by_path(file)), "belongs to user 65534"));
}

TEST_CASE("library: a text file is refused before the linker sees it") {
    const ScratchDirectory directory;
    const std::string file = directory.file("text.so");
    test::write_text(file, "#!/bin/sh\n");
    CHECK(contains(load_refusal(by_path(file)), file + " is not a shared object"));
    test::write_text(file, "");
    CHECK(contains(load_refusal(by_path(file)), file + " is not a shared object"));
}

TEST_CASE("library: what the linker refuses is refused in its words") {
    CHECK(contains(refusal_of_fault("undefined_symbol"), "nobody_defines_this"));
}

TEST_CASE("library: a shared object that is no plugin is refused") {
    CHECK(contains(refusal_of_fault("no_entry"), "has no symbol latmon_plugin_entry"));
}

TEST_CASE("library: a plugin without a table is refused") {
    CHECK(contains(refusal_of_fault("no_table"), "return the address of a static one"));
}

TEST_CASE("library: another ABI version is refused, with both versions") {
    CHECK(contains(refusal_of_fault("wrong_version"), "plugin ABI 999, this latmon has 1"));
}

TEST_CASE("library: a table smaller than that of ABI 1 is refused") {
    CHECK(contains(refusal_of_fault("wrong_size"), "struct_size is 63, ABI 1 needs 64"));
}

TEST_CASE("library: a plugin whose name is not its file's is refused") {
    CHECK(contains(refusal_of_fault("wrong_name"), "calls itself \"someone_else\""));
}

TEST_CASE("library: a table without one of the three functions is refused") {
    for (const char* const fault : {"no_create", "no_batch", "no_destroy"}) {
        CHECK(contains(refusal_of_fault(fault), "create, export_batch or destroy is NULL"));
    }
}

}  // namespace
}  // namespace latmon
