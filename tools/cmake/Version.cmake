# SPDX-License-Identifier: Apache-2.0
#
# latmon_version(TARGET)
#
# Adds the definition of core/base/version.hpp to TARGET. Each build asks git which commit it is of,
# and writes the source anew only if the answer is another one: then this source alone is compiled.
function(latmon_version target)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/version.cpp)
    add_custom_target(${target}_version
        COMMAND ${CMAKE_COMMAND} -D TREE=${PROJECT_SOURCE_DIR} -D VERSION=${PROJECT_VERSION}
                -D OUT=${source} -P ${PROJECT_SOURCE_DIR}/tools/cmake/write_version.cmake
        BYPRODUCTS ${source} COMMENT "Asking git for the commit" VERBATIM)
    target_sources(${target} PRIVATE ${source})
    add_dependencies(${target} ${target}_version)
endfunction()
