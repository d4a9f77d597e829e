# Writes OUTPUT, a source that says which version of the model this is: a digest of all sources that a result can follow
# from, and of how they are compiled (BUILD). Nobody has to remember to raise a number.
file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/sim/*.?pp ${ROOT}/hwmodels/*.?pp ${ROOT}/kernels/*.hpp)
list(SORT sources)
set(lines "${BUILD}\n")
foreach(source IN LISTS sources)
  file(SHA256 ${ROOT}/${source} digest)
  string(APPEND lines "${digest} ${source}\n")
endforeach()
string(SHA256 version "${lines}")
file(WRITE ${OUTPUT} "#include \"sim/study/model_version.hpp\"\n
namespace strata {\nconst char* model_version() { return \"${version}\"; }\n}  // namespace strata\n")
