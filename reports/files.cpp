#include "reports/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{4} << 30;  // results of ten million points

std::string whole_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream || fs::is_directory(file)) throw InputError("cannot read " + file.string());
    std::error_code unknown;  // of a pipe
    if (const auto size = fs::file_size(file, unknown); !unknown && size > kMostBytes)
        throw InputError(file.string(), fmt::format("at most {} bytes", kMostBytes), fmt::format("{}", size));
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_whole(const fs::path& target, const std::string& text) {
    const fs::path temporary = target.string() + ".partial";
    errno = 0;
    {
        std::ofstream file(temporary, std::ios::binary);
        file << text;
        file.flush();
        if (!file) {
            const std::string reason = errno ? std::strerror(errno) : "unknown reason";
            std::error_code ignored;
            fs::remove(temporary, ignored);
            throw InputError("cannot write " + target.string() + ": " + reason);
        }
    }
    fs::rename(temporary, target);
}

FolderLock::FolderLock(const fs::path& folder) : folder_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    // Some network file systems have no locks; there files stay whole all the same, each by its rename.
    while (folder_ >= 0 && flock(folder_, LOCK_EX) != 0 && errno == EINTR) {
    }
}

FolderLock::~FolderLock() {
    if (folder_ >= 0) close(folder_);
}

OutputFolder::OutputFolder(const fs::path& folder) {
    for (fs::path at = fs::absolute(folder); !fs::exists(at) && at.has_relative_path(); at = at.parent_path())
        made_.push_back(at);
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder))
        throw InputError(folder.string(), "a folder to write into",
                         error ? error.message() : std::string("something else of that name"));
    const FolderLock lock(folder);
    const fs::path probe = folder / ".strata-probe";
    write_whole(probe, "");
    fs::remove(probe);
}

OutputFolder::~OutputFolder() {
    std::error_code not_empty;
    for (const fs::path& folder : made_) fs::remove(folder, not_empty);
}

}  // namespace strata
