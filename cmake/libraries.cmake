# The libraries of the project, all from Debian's packages, as imported targets with system headers.
# cpp-httplib's flags must come from pkg-config: without its defines class layouts differ.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(spdlog REQUIRED IMPORTED_TARGET spdlog)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(libcurl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(libmosquitto REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl)

find_library(SQLITECPP_LIBRARY SQLiteCpp REQUIRED)
add_library(sqlitecpp INTERFACE)
target_link_libraries(sqlitecpp INTERFACE ${SQLITECPP_LIBRARY} PkgConfig::sqlite3)
