# cmake -DFOLDER=kernels -DOUT=build_facts.cpp -DNVCC=... -DFLAGS=... -P build_facts.cmake
function(hash_of out)
  set(all "")
  foreach(pattern ${ARGN})
    file(GLOB files ${FOLDER}/${pattern})
    list(SORT files)
    foreach(file ${files})
      file(SHA256 ${file} one)
      string(APPEND all "${one}")
    endforeach()
  endforeach()
  string(SHA256 all "${all}")
  set(${out} ${all} PARENT_SCOPE)
endfunction()

execute_process(COMMAND git -C ${FOLDER} rev-parse HEAD OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE outside)
if(outside)
  set(commit "unknown")
endif()
execute_process(COMMAND git -C ${FOLDER} status --porcelain -- . OUTPUT_VARIABLE changes ERROR_QUIET)
set(dirty false)
if(changes)
  set(dirty true)
endif()

hash_of(shared "simt/*" "*.hpp" "*.cuh")
file(GLOB units RELATIVE ${FOLDER} ${FOLDER}/*/*.cu)
set(folders "")
foreach(unit ${units})
  get_filename_component(folder ${unit} DIRECTORY)
  list(APPEND folders ${folder})
endforeach()
list(REMOVE_DUPLICATES folders)
set(table "")
foreach(folder ${folders})
  hash_of(own "${folder}/*.cu" "${folder}/*.cuh" "${folder}/*.hpp")
  string(SHA256 both "${shared}${own}")
  string(APPEND table "        {\"kernels/${folder}\", \"${both}\"},\n")
endforeach()

set(text "#include \"kernels/bench/build_facts.hpp\"

#include <map>

namespace strata {

nlohmann::ordered_json build_facts() {
    return {{\"commit\", \"${commit}\"}, {\"dirty\", ${dirty}}, {\"nvcc\", \"${NVCC}\"}, {\"flags\", \"${FLAGS}\"}};
}

std::string source_hash_of(const std::string& file) {
    static const std::map<std::string, std::string> hashes{
${table}    };
    const auto found = hashes.find(file.substr(0, file.rfind('/')));
    return found == hashes.end() ? \"\" : found->second;
}

}  // namespace strata
")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
