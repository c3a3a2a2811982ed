# Writes ${OUT}, a .cpp that holds ${DIR}/page.html with page.css and ${SCRIPTS} put into it, and the policy that
# lets a browser run just these:
#   cmake -DDIR=src/page "-DSCRIPTS=src/page/a.js;src/page/b.js" -DVERSION=0.1.0 -DOUT=embedded.cpp -P embed_page.cmake

cmake_minimum_required(VERSION 3.25)  # older ones would replace @NAMES@ in this file

# The SHA-256 of a text in a policy's form: 'sha256-<base64>'. CMake has only hexadecimal digits; six of them are four
# of base64's.
function(policy_hash text result)
  set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 digits "${text}")
  string(APPEND digits "00")  # 64 digits are no multiple of six; these two make the padding
  set(base64 "")
  foreach(at RANGE 0 60 6)
    string(SUBSTRING "${digits}" ${at} 6 six)
    foreach(shift 18 12 6 0)
      math(EXPR index "(0x${six} >> ${shift}) & 63")
      string(SUBSTRING "${alphabet}" ${index} 1 letter)
      string(APPEND base64 "${letter}")
    endforeach()
  endforeach()
  string(REGEX REPLACE ".$" "=" base64 "${base64}")
  set(${result} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

set(script "\n\"use strict\";\n{\n")
foreach(file IN LISTS SCRIPTS)
  file(READ "${file}" text)
  string(APPEND script "${text}")
endforeach()
string(APPEND script "}\n")
file(READ "${DIR}/page.css" style)
set(style "\n${style}")
foreach(text IN ITEMS "${script}" "${style}")
  if(text MATCHES "</|<!--|\r|\\)embedded\"")
    message(FATAL_ERROR "in src/page a script or style holds '${CMAKE_MATCH_0}', which would end it early")
  endif()
endforeach()

file(READ "${DIR}/page.html" html)
string(REPLACE "@VERSION@" "${VERSION}" html "${html}")
string(REPLACE "@STYLE@" "${style}" html "${html}")
string(REPLACE "@SCRIPT@" "${script}" html "${html}")

policy_hash("${script}" script_hash)
policy_hash("${style}" style_hash)
string(CONCAT policy "default-src 'none'; script-src ${script_hash}; style-src ${style_hash}; connect-src 'self'; img-src data:; "
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")

file(WRITE "${OUT}" "// Made by cmake/embed_page.cmake from src/page.
#include \"page/page.h\"

namespace page {

std::string_view html() { return R\"embedded(${html})embedded\"; }

std::string_view content_security_policy() { return \"${policy}\"; }

}  // namespace page
")
