# Writes ${OUT}, a .cpp that holds every ${DIR}/NNNN_name.sql in the order of the numbers:
#   cmake -DDIR=schema -DOUT=embedded.cpp -P embed_schema.cmake
file(GLOB files "${DIR}/*.sql")
list(SORT files COMPARE NATURAL)
set(entries "")
set(expected 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  if(NOT name MATCHES "^0*([1-9][0-9]*)_")
    message(FATAL_ERROR "${file}: the name must begin with a number and an underscore")
  endif()
  set(number ${CMAKE_MATCH_1})
  math(EXPR expected "${expected} + 1")
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "${file}: number ${expected} is missing or given twice")
  endif()
  file(READ "${file}" sql)
  string(APPEND entries "    {${number}, R\"embedded(${sql})embedded\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made by cmake/embed_schema.cmake from schema/*.sql.
#include \"store/migrations.h\"

namespace store {
namespace {

const Migration embedded[] = {
${entries}};

}  // namespace

std::span<const Migration> embedded_migrations() { return embedded; }

}  // namespace store
")
