# SPDX-License-Identifier: Apache-2.0
#
# latmon_compile_in_lots(TARGET)
#
# Compiles the sources of a target in lots of eight, each as one source, in builds that are made
# seldom and whole: a release, and those with sanitizers. Half the time of the compiler goes into
# headers, and optimising and instrumenting take long. The preset dev compiles each source alone: it
# is built anew by and by, and a missing #include is found there. Which may be together,
# tests/tidy/lots.py says: two that give a local name to two things may not.
function(latmon_compile_in_lots target)
    set(is_built_by_and_by OFF)
    if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT LATMON_SANITIZE)
        set(is_built_by_and_by ON)
    endif()
    if(is_built_by_and_by OR NOT Python3_FOUND)
        return()
    endif()
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.cpp$")
    set(paths "")
    foreach(source IN LISTS sources)
        cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE path)
        list(APPEND paths ${path})
    endforeach()
    set(script ${PROJECT_SOURCE_DIR}/tests/tidy/lots.py)
    execute_process(COMMAND ${Python3_EXECUTABLE} ${script} 8 ${paths} OUTPUT_VARIABLE lots
                    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX REPLACE "[;\n]" ";" lots "${lots}")
    while(lots)
        list(POP_FRONT lots lot path)
        set_source_files_properties(${path} PROPERTIES UNITY_GROUP lot_${lot})
    endwhile()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
