# Compiler settings of this tree, and the verbs its CMakeLists use: stepper_library, stepper_program, stepper_test,
# stepper_python_tests.

option(STEPPER_TESTS "Build the tests, which need the test packages of debian-packages.txt" OFF)
option(STEPPER_WERROR "Warnings are errors" OFF)
set(STEPPER_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(STEPPER_COVERAGE "Instrument for gcov" OFF)
option(STEPPER_FUZZ "Build the libFuzzer targets (clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -fstack-protector-strong
                    $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>)
if(STEPPER_WERROR)
  add_compile_options(-Werror)
endif()
if(STEPPER_SANITIZE)
  set(STEPPER_SANITIZED ON)
  # GCC 12 sees uninitialised reads in libstdc++ that only the instrumentation puts there.
  add_compile_options(-fsanitize=${STEPPER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${STEPPER_SANITIZE})
endif()
if(STEPPER_FUZZ)
  set(STEPPER_SANITIZED ON)
  # RapidJSON adds an offset to a null pointer on purpose.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(STEPPER_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# stepper_library(base SOURCES a.cpp ... DEPS config ... LINK CURL::libcurl ...)
# The static library of core/<name>. DEPS are other core folders: all of a folder's arrows, checked by tests/layers.
function(stepper_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;LINK" ${ARGN})
  add_library(stepper_${name} STATIC ${A_SOURCES})
  target_include_directories(stepper_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  list(TRANSFORM A_DEPS PREPEND stepper_)
  target_link_libraries(stepper_${name} PUBLIC ${A_DEPS} PRIVATE ${A_LINK})
endfunction()

# stepper_program(name SOURCES ... DEPS ... LINK ...): build/PRESET/bin/<name>
function(stepper_program name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  list(TRANSFORM A_DEPS PREPEND stepper_)
  target_link_libraries(${name} PRIVATE ${A_DEPS} ${A_LINK})
endfunction()

# Tests of one thread, where ThreadSanitizer has nothing to see. All others are built by concurrent_tests, and labelled concurrent.
set(STEPPER_SEQUENTIAL_TESTS config growth kit limits output prompt refusals report secrets)
add_custom_target(concurrent_tests)

# stepper_test(output SOURCES ... DEPS output LINK ...): the GoogleTest program <name>_test, one ctest entry.
function(stepper_test name)
  stepper_program(${name}_test ${ARGN})
  target_link_libraries(${name}_test PRIVATE GTest::gmock GTest::gtest_main)
  # Optimising tests, which run once, took a quarter of a sanitized build.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Debug>:-O0>)
  set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME unit.${name} COMMAND ${name}_test)
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/tsan.supp")
  if(NOT name IN_LIST STEPPER_SEQUENTIAL_TESTS)
    set_tests_properties(unit.${name} PROPERTIES LABELS concurrent)
    add_dependencies(concurrent_tests ${name}_test)
  endif()
endfunction()

# What Python tests are told of this build.
set(STEPPER_TEST_ENVIRONMENT "STEPPER_BUILD=${CMAKE_BINARY_DIR}" PYTHONDONTWRITEBYTECODE=1
    "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/tsan.supp")

# stepper_python_tests(integration LONGEST chain_test ...): each *_test.py beside this CMakeLists drives the real programs from
# outside and is one ctest entry, integration.<file>, labelled slow. The longest begin first.
function(stepper_python_tests group)
  cmake_parse_arguments(A "" "" "LONGEST" ${ARGN})
  if(NOT STEPPER_TESTS)
    return()
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB files CONFIGURE_DEPENDS *_test.py)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    add_test(NAME ${group}.${name} COMMAND ${Python3_EXECUTABLE} ${file})
    set_tests_properties(${group}.${name} PROPERTIES TIMEOUT 600 LABELS slow ENVIRONMENT "${STEPPER_TEST_ENVIRONMENT}")
  endforeach()
  set(cost 100)
  foreach(name IN LISTS A_LONGEST)
    set_tests_properties(${group}.${name} PROPERTIES COST ${cost})
    math(EXPR cost "${cost} - 1")
  endforeach()
endfunction()
