# SPDX-License-Identifier: Apache-2.0
#
# latmon_add_plugin(NAME SOURCES file... [LIBRARIES outside library...])
#
# One folder of plugins/ as build/<preset>/plugins/NAME.so. It sees include/latmon and its own
# libraries; exports one symbol; leaves none undefined, so that dlopen(RTLD_NOW) cannot fail later.
function(latmon_add_plugin name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    set(map ${PROJECT_SOURCE_DIR}/plugins/exports.map)
    add_library(plugin_${name} MODULE ${ARG_SOURCES})
    target_link_libraries(plugin_${name} PRIVATE latmon_abi latmon_warnings ${ARG_LIBRARIES})
    set_target_properties(plugin_${name} PROPERTIES
        PREFIX "" OUTPUT_NAME ${name} SUFFIX ".so"
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
        LINK_DEPENDS ${map})
    target_link_options(plugin_${name} PRIVATE -Wl,--version-script=${map})
    if(NOT LATMON_SANITIZE)  # Sanitizers leave their runtime's symbols to the executable.
        target_link_options(plugin_${name} PRIVATE -Wl,-z,defs)
    endif()
    install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/latmon/plugins)
endfunction()
