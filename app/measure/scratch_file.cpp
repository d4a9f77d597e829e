#include "app/measure/scratch_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/measure/aligned_buffer.hpp"
#include "app/measure/timing.hpp"
#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr std::size_t kBlock = 1 << 20;

int nameless_file(const std::filesystem::path& folder) {
    std::string name = (folder / "strata-scratch-XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0)
        throw InputError(folder.string(), "a folder to write a scratch file into", std::strerror(errno));
    unlink(name.c_str());
    return descriptor;
}

std::string obstacle_to_direct_reads(int descriptor) {
    struct statfs system {};
    if (fstatfs(descriptor, &system) == 0 && system.f_type == TMPFS_MAGIC)
        return "the scratch folder is kept in memory (tmpfs), not on a drive";
    if (fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_DIRECT) == 0) return "";
    return fmt::format(
        "the scratch folder's file system refuses O_DIRECT ({}); its reads would come from the page cache",
        std::strerror(errno));
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& folder, Bytes size, Seconds patience)
    : descriptor_(nameless_file(folder)), obstacle_(obstacle_to_direct_reads(descriptor_)) {
    if (!obstacle_.empty()) return;
    const AlignedBuffer buffer(kBlock);
    FastRandom random(1);
    const Clock::time_point begin = Clock::now();
    while (double(bytes_) < size.si() && (bytes_ < kBlock || seconds_since(begin) < patience.si())) {
        for (std::uint64_t& word : buffer.words()) word = random();
        if (const ssize_t written = pwrite(descriptor_, buffer.data(), kBlock, off_t(bytes_));
            written != ssize_t(kBlock)) {
            const std::string reason = written < 0 ? std::strerror(errno) : "no room left";
            close(descriptor_);
            throw InputError(fmt::format("{}: cannot write a scratch file of {:.2f} GB: {}. --file-size asks for less",
                                         folder.string(), size.si() / 1e9, reason));
        }
        bytes_ += kBlock;
    }
    fdatasync(descriptor_);
}

ScratchFile::~ScratchFile() { close(descriptor_); }

}  // namespace strata
