# Language level, warnings, hardening and sanitizers: one interface target that every target links.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(isg_flags INTERFACE)
target_compile_definitions(isg_flags INTERFACE
    _POSIX_C_SOURCE=200809L ISG_VERSION="${PROJECT_VERSION}")
target_compile_options(isg_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wswitch-enum -Wconversion -Wnull-dereference
    -Wdouble-promotion -fno-common -fstack-protector-strong
    $<$<BOOL:${ISG_WERROR}>:-Werror>)
target_include_directories(isg_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_link_options(isg_flags INTERFACE -Wl,-z,relro -Wl,-z,now)

if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$")
    target_compile_options(isg_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    # Objects of both kinds: libstix.a links anywhere, and a program that asks for it (isg_whole) is
    # optimised across all rooms.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(isg_flags INTERFACE -O3 -flto=auto -ffat-lto-objects)
        set(ISG_WHOLE -O3 -flto=auto)
    endif()
endif()
add_library(isg_whole INTERFACE)
target_link_options(isg_whole INTERFACE ${ISG_WHOLE})
if(NOT ISG_SANITIZE)
    include(CheckPIESupported)
    check_pie_supported()
endif()
foreach(sanitizer IN LISTS ISG_SANITIZE)
    target_compile_options(isg_flags INTERFACE -fsanitize=${sanitizer} -fno-omit-frame-pointer)
    target_link_options(isg_flags INTERFACE -fsanitize=${sanitizer})
endforeach()
if("undefined" IN_LIST ISG_SANITIZE)
    target_compile_options(isg_flags INTERFACE -fno-sanitize-recover=undefined)
endif()
if(ISG_FUZZ)
    target_compile_options(isg_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(ISG_COVERAGE)
    target_compile_options(isg_flags INTERFACE --coverage -O0)
    target_link_options(isg_flags INTERFACE --coverage)
endif()
