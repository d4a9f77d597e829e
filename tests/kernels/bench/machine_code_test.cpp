// Looks into the machine code of the compiled kernels: those written for the tensor cores must have their instructions,
// and those that copy in bulk the copies. No disassembler is at hand in a bare toolkit, but an instruction of sm_90 is
// sixteen bytes and its lowest nine bits tell which it is.
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace strata {
namespace {

namespace fs = std::filesystem;

// As nvdisasm 13.2 -hex shows them; bits 9 to 11 tell the kinds of operands.
enum class Instruction : unsigned {
    hgmma = 0x1F0,    // a warpgroup's product of BF16
    qgmma = 0x1F3,    // of FP8
    utmaldg = 0x1B4,  // bulk tensor copy to shared memory
    utmastg = 0x1B5,  // and from it
    ublkcp = 0x1BA,   // bulk copy of a run of bytes
};
using Counts = std::map<Instruction, int>;

std::string contents_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
T read_at(const std::string& bytes, std::size_t at) {
    T value{};
    if (at + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

// Adds the kernels of one image of device code; `image` is where it begins in the object.
void add_kernels(const std::string& object, std::size_t image, std::map<std::string, Counts>& kernels) {
    const auto header = read_at<Elf64_Ehdr>(object, image);
    const auto section = [&](std::size_t i) {
        return read_at<Elf64_Shdr>(object, image + header.e_shoff + i * header.e_shentsize);
    };
    const std::size_t names = image + section(header.e_shstrndx).sh_offset;
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr code = section(i);
        const std::string name = object.c_str() + names + code.sh_name;
        if (name.rfind(".text.", 0) != 0) continue;
        Counts& counts = kernels[name.substr(6)];
        for (std::size_t at = 0; at < code.sh_size; at += 16)
            ++counts[Instruction(read_at<std::uint64_t>(object, image + code.sh_offset + at) & 0x1FF)];
    }
}

std::map<std::string, Counts> kernels_of(const fs::path& path) {
    constexpr int kCuda = 190;  // EM_CUDA
    const std::string object = contents_of(path);
    std::map<std::string, Counts> kernels;
    for (std::size_t at = object.find(ELFMAG); at != std::string::npos; at = object.find(ELFMAG, at + 4))
        if (read_at<Elf64_Ehdr>(object, at).e_machine == kCuda) add_kernels(object, at, kernels);
    return kernels;
}

const fs::path kKernels = STRATA_SOURCE_DIR "/kernels";

fs::path object_of(const std::string& unit) { return fs::path(STRATA_KERNEL_OBJECTS) / (unit + ".o"); }

// Every .cu that has an object, by its place in kernels/.
std::vector<std::string> units() {
    std::vector<std::string> all;
    for (const auto& file : fs::recursive_directory_iterator(kKernels)) {
        const std::string unit = fs::relative(file.path(), kKernels).generic_string();
        if (file.path().extension() == ".cu" && fs::exists(object_of(unit))) all.push_back(unit);
    }
    return all;
}

// The headers of ours that a file includes, directly or not.
void add_includes(const fs::path& file, std::set<std::string>& included) {
    std::istringstream text(contents_of(file));
    for (std::string line; std::getline(text, line);) {
        constexpr std::string_view kBegin = "#include \"kernels/";
        if (line.rfind(kBegin, 0) != 0) continue;
        const std::string name = line.substr(kBegin.size(), line.rfind('"') - kBegin.size());
        if (included.insert(name).second) add_includes(kKernels / name, included);
    }
}

int count_of(const std::map<std::string, Counts>& kernels, std::initializer_list<Instruction> any) {
    int sum = 0;
    for (const auto& [name, counts] : kernels)
        for (const Instruction one : any)
            if (const auto found = counts.find(one); found != counts.end()) sum += found->second;
    return sum;
}

TEST(MachineCode, kernels_written_for_tensor_cores_and_bulk_copies_have_them) {
    int with_products = 0;
    for (const std::string& unit : units()) {
        std::set<std::string> included;
        add_includes(kKernels / unit, included);
        const auto kernels = kernels_of(object_of(unit));
        EXPECT_FALSE(kernels.empty()) << unit << ": no device code found in its object";
        if (included.count("simt/wgmma.hpp")) {
            ++with_products;
            EXPECT_GT(count_of(kernels, {Instruction::hgmma, Instruction::qgmma}), 0) << unit;
        }
        if (included.count("simt/tma.hpp")) {
            EXPECT_GT(count_of(kernels, {Instruction::utmaldg, Instruction::ublkcp}), 0) << unit;
        }
    }
    EXPECT_GT(with_products, 0);
}

// Four products of 32 along K make a stage of 128; a, its scales and b are loaded; a tile leaves in one or two boxes.
TEST(MachineCode, each_tile_of_the_grouped_product_has_its_instructions) {
    const auto kernels = kernels_of(object_of("gemm/grouped_fp8.cu"));
    EXPECT_EQ(kernels.size(), 3u);
    for (auto [name, counts] : kernels) {
        EXPECT_EQ(counts[Instruction::qgmma], 4) << name;
        EXPECT_EQ(counts[Instruction::hgmma], 0) << name;
        EXPECT_EQ(counts[Instruction::utmaldg], 3) << name;
        EXPECT_GE(counts[Instruction::utmastg], 1) << name;
    }
}

// Where ptxas cannot keep the registers of products apart it serialises them, and where it cannot count a kernel's
// registers it ignores setmaxnreg; it says so in notes that are no warnings (C7508 to C7512).
TEST(MachineCode, ptxas_has_no_complaint_of_performance) {
    for (const std::string& unit : units()) {
        const std::string log = contents_of(object_of(unit).string() + ".ptxas");
        const std::size_t note = log.find("Potential Performance Loss");
        EXPECT_EQ(note, std::string::npos) << unit << ": " << log.substr(note, log.find('\n', note) - note);
    }
}

}  // namespace
}  // namespace strata
