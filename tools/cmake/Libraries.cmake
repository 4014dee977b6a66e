# SPDX-License-Identifier: Apache-2.0
#
# The outside libraries, all from Debian 12, each found once. Which layer may use which is said in
# core/CMakeLists.txt and plugins/CMakeLists.txt; tools/tidy holds it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Boost 1.75 REQUIRED)  # Headers of Beast and Asio alone.
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(libcurl REQUIRED IMPORTED_TARGET libcurl>=7.87)  # CURLOPT_QUICK_EXIT.
pkg_check_modules(cppzmq REQUIRED IMPORTED_TARGET cppzmq)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
