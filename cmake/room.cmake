# isg_room(NAME LIBS ... PRIVATE ...): a static library of all sources of the current folder.
# LIBS are rooms below (their headers may be included by those who use this room); PRIVATE are
# foreign libraries, whose headers stay inside this room.
function(isg_room name)
    cmake_parse_arguments(ROOM "" "" "LIBS;PRIVATE;SOURCES" ${ARGN})
    if(NOT ROOM_SOURCES)
        file(GLOB ROOM_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
        list(FILTER ROOM_SOURCES EXCLUDE REGEX "/main\\.c$")
    endif()
    if(NOT ROOM_SOURCES)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE isg_flags ${ROOM_LIBS})
        return()
    endif()
    add_library(${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(${name} PUBLIC isg_flags ${ROOM_LIBS} PRIVATE ${ROOM_PRIVATE})
endfunction()
